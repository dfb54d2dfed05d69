//! From words and operators to what a shell does.

use std::fmt;

use super::words::{self, Part, Piece, Token, Word};

/// Why a text is no script.
#[derive(Debug, PartialEq)]
pub enum Problem {
    /// It may become one with further lines.
    Unfinished,
    Wrong(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unfinished => out.write_str("the script ends too early"),
            Self::Wrong(text) => out.write_str(text),
        }
    }
}

pub type Script = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub when: When,
    pub negated: bool,
    /// Joined by pipes.
    pub commands: Vec<Command>,
}

/// On which result of the step before a step runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    Always,
    Success,
    Failure,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    pub kind: Kind,
    pub redirects: Vec<Redirect>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Simple {
        assignments: Vec<(String, Word)>,
        words: Vec<Word>,
    },
    If {
        branches: Vec<(Script, Script)>,
        otherwise: Script,
    },
    Loop {
        while_success: bool,
        condition: Script,
        body: Script,
    },
    For {
        name: String,
        words: Vec<Word>,
        body: Script,
    },
    Group(Script),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub descriptor: u8,
    pub operator: &'static str,
    pub target: Word,
}

/// Parses a whole script.
pub fn parse(text: &str) -> Result<Script, Problem> {
    let mut parser = Parser {
        tokens: words::tokens(text)?,
        at: 0,
    };
    let script = parser.script(&[])?;
    match parser.peek() {
        None => Ok(script),
        Some(token) => Err(Problem::Wrong(format!(
            "not expected here: {}",
            shown(token)
        ))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// Returns the next word if it is plain text, as keywords are.
    fn keyword(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => plain(word),
            _ => None,
        }
    }

    fn take_operator(&mut self, wanted: &[&str]) -> Option<&'static str> {
        match self.peek() {
            Some(Token::Operator(operator)) if wanted.contains(operator) => {
                let operator = *operator;
                self.at += 1;
                Some(operator)
            }
            _ => None,
        }
    }

    fn take_keyword(&mut self, wanted: &str) -> bool {
        let is_it = self.keyword() == Some(wanted);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, wanted: &str) -> Result<(), Problem> {
        if self.take_keyword(wanted) {
            Ok(())
        } else {
            Err(self.missing(wanted))
        }
    }

    fn missing(&self, wanted: &str) -> Problem {
        match self.peek() {
            None => Problem::Unfinished,
            Some(found) => Problem::Wrong(format!("{wanted} is missing before {}", shown(found))),
        }
    }

    fn skip_lines(&mut self) {
        while self.take_operator(&["\n"]).is_some() {}
    }

    /// Steps up to one of the keywords, to a closing parenthesis or to the end.
    fn script(&mut self, ends: &[&str]) -> Result<Script, Problem> {
        let mut steps: Script = Vec::new();
        let mut when = When::Always;
        loop {
            self.skip_lines();
            let ended = match self.peek() {
                None => true,
                Some(Token::Operator(operator)) => *operator == ")",
                _ => self.keyword().is_some_and(|word| ends.contains(&word)),
            };
            if ended {
                return if when == When::Always {
                    Ok(steps)
                } else {
                    Err(self.missing("a command"))
                };
            }
            steps.push(self.step(when)?);
            when = match self.take_operator(&[";", "\n", "&&", "||"]) {
                Some("&&") => When::Success,
                Some("||") => When::Failure,
                Some(_) => When::Always,
                None if self.take_operator(&["&"]).is_some() => {
                    return Err(Problem::Wrong(
                        "&: a guest has no processes to run in the background".to_owned(),
                    ));
                }
                None => match self.peek() {
                    None | Some(Token::Operator(")")) => When::Always,
                    Some(token) => {
                        return Err(Problem::Wrong(format!(
                            "not expected here: {}",
                            shown(token)
                        )));
                    }
                },
            };
        }
    }

    fn step(&mut self, when: When) -> Result<Step, Problem> {
        let negated = self.take_keyword("!");
        let mut commands = vec![self.command()?];
        while self.take_operator(&["|"]).is_some() {
            self.skip_lines();
            commands.push(self.command()?);
        }
        Ok(Step {
            when,
            negated,
            commands,
        })
    }

    fn command(&mut self) -> Result<Command, Problem> {
        let kind = if self.take_operator(&["("]).is_some() {
            let body = self.script(&[])?;
            self.take_operator(&[")"])
                .ok_or_else(|| self.missing(")"))?;
            Kind::Group(body)
        } else if self.take_keyword("{") {
            Kind::Group(self.body("}")?)
        } else if self.take_keyword("if") {
            self.branches()?
        } else if self.take_keyword("while") {
            self.condition(true)?
        } else if self.take_keyword("until") {
            self.condition(false)?
        } else if self.take_keyword("for") {
            self.iteration()?
        } else {
            return self.simple();
        };
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        Ok(Command { kind, redirects })
    }

    fn body(&mut self, end: &str) -> Result<Script, Problem> {
        let body = self.script(&[end])?;
        self.expect(end)?;
        Ok(body)
    }

    fn branches(&mut self) -> Result<Kind, Problem> {
        let mut branches = Vec::new();
        loop {
            let condition = self.body("then")?;
            branches.push((condition, self.script(&["elif", "else", "fi"])?));
            if !self.take_keyword("elif") {
                break;
            }
        }
        let otherwise = if self.take_keyword("else") {
            self.script(&["fi"])?
        } else {
            Vec::new()
        };
        self.expect("fi")?;
        Ok(Kind::If {
            branches,
            otherwise,
        })
    }

    fn condition(&mut self, while_success: bool) -> Result<Kind, Problem> {
        let condition = self.body("do")?;
        Ok(Kind::Loop {
            while_success,
            condition,
            body: self.body("done")?,
        })
    }

    fn iteration(&mut self) -> Result<Kind, Problem> {
        let name = self
            .keyword()
            .ok_or_else(|| self.missing("a name"))?
            .to_owned();
        self.at += 1;
        self.expect("in")?;
        let mut words = Vec::new();
        while let Some(Token::Word(word)) = self.peek() {
            words.push(word.clone());
            self.at += 1;
        }
        self.take_operator(&[";", "\n"])
            .ok_or_else(|| self.missing(";"))?;
        self.skip_lines();
        self.expect("do")?;
        Ok(Kind::For {
            name,
            words,
            body: self.body("done")?,
        })
    }

    fn simple(&mut self) -> Result<Command, Problem> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let Some(Token::Word(word)) = self.peek() else {
                break;
            };
            let word = word.clone();
            self.at += 1;
            match assignment(&word) {
                Some(pair) if words.is_empty() => assignments.push(pair),
                _ => words.push(word),
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.missing("a command"));
        }
        Ok(Command {
            kind: Kind::Simple { assignments, words },
            redirects,
        })
    }

    fn redirect(&mut self) -> Result<Option<Redirect>, Problem> {
        let given = match self.peek() {
            Some(Token::Descriptor(number)) => Some(*number),
            _ => None,
        };
        self.at += usize::from(given.is_some());
        let Some(operator) = self.take_operator(&["<", ">", ">>", ">&"]) else {
            return Ok(None);
        };
        let Some(Token::Word(target)) = self.peek() else {
            return Err(self.missing("a file"));
        };
        let target = target.clone();
        self.at += 1;
        Ok(Some(Redirect {
            descriptor: given.unwrap_or(u8::from(operator != "<")),
            operator,
            target,
        }))
    }
}

fn plain(word: &Word) -> Option<&str> {
    match &word[..] {
        [
            Piece {
                part: Part::Text(text),
                quoted: false,
            },
        ] => Some(text),
        _ => None,
    }
}

/// Splits `NAME=word`.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let [
        Piece {
            part: Part::Text(text),
            quoted: false,
        },
        rest @ ..,
    ] = &word[..]
    else {
        return None;
    };
    let (name, value) = text.split_once('=')?;
    let valid = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.starts_with(|first: char| !first.is_ascii_digit());
    let first = Piece {
        part: Part::Text(value.to_owned()),
        quoted: false,
    };
    valid.then(|| (name.to_owned(), [&[first], rest].concat()))
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => plain(word).unwrap_or("a word").to_owned(),
        Token::Operator("\n") => "the end of the line".to_owned(),
        Token::Operator(operator) => (*operator).to_owned(),
        Token::Descriptor(number) => number.to_string(),
    }
}
