//! From text to words and operators.

use std::iter::Peekable;
use std::str::Chars;

use super::syntax::{self, Problem, Script};

/// A piece of a word. What is quoted is never split into several words.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub part: Part,
    pub quoted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// `$NAME`, `${NAME}` or `${NAME:-default}`.
    Variable {
        name: String,
        default: String,
    },
    /// `$(script)`
    Output(Script),
}

pub type Word = Vec<Piece>;

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(Word),
    /// One of `; & && | || ( ) < > >> >&` and the end of a line.
    Operator(&'static str),
    /// The number of a descriptor, directly before one of `< > >> >&`.
    Descriptor(u8),
}

const OPERATORS: [&str; 10] = [">>", ">&", "&&", "||", ";", "&", "|", "(", ")", "<"];

/// Splits a script into tokens.
pub fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '\n' {
            found.push(Token::Operator("\n"));
            rest = &rest[1..];
        } else if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if let Some(next) = rest.strip_prefix("\\\n") {
            rest = next;
        } else if first == '#' {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if first.is_ascii_digit() && rest[1..].starts_with(['<', '>']) {
            found.push(Token::Descriptor(first as u8 - b'0'));
            rest = &rest[1..];
        } else if let Some(operator) = OPERATORS
            .into_iter()
            .chain([">"])
            .find(|operator| rest.starts_with(operator))
        {
            found.push(Token::Operator(operator));
            rest = &rest[operator.len()..];
        } else {
            let mut letters = rest.chars().peekable();
            found.push(Token::Word(word(&mut letters)?));
            rest = &rest[rest.len() - letters.collect::<String>().len()..];
        }
    }
    Ok(found)
}

fn word(letters: &mut Peekable<Chars>) -> Result<Word, Problem> {
    let mut pieces = Vec::new();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() || ";&|()<>".contains(letter) {
            break;
        }
        letters.next();
        match letter {
            '\'' => text(&mut pieces, &until(letters, '\'')?, true),
            '"' => quoted(letters, &mut pieces)?,
            '\\' => text(
                &mut pieces,
                &letters.next().ok_or(Problem::Unfinished)?.to_string(),
                true,
            ),
            '$' => expansion(letters, &mut pieces, false)?,
            other => text(&mut pieces, &other.to_string(), false),
        }
    }
    Ok(pieces)
}

fn quoted(letters: &mut Peekable<Chars>, pieces: &mut Word) -> Result<(), Problem> {
    // (so that "" is a word)
    text(pieces, "", true);
    loop {
        match letters.next().ok_or(Problem::Unfinished)? {
            '"' => return Ok(()),
            '$' => expansion(letters, pieces, true)?,
            '\\' => match letters.next().ok_or(Problem::Unfinished)? {
                escaped @ ('"' | '\\' | '$' | '`') => text(pieces, &escaped.to_string(), true),
                other => text(pieces, &format!("\\{other}"), true),
            },
            other => text(pieces, &other.to_string(), true),
        }
    }
}

fn expansion(
    letters: &mut Peekable<Chars>,
    pieces: &mut Word,
    quoted: bool,
) -> Result<(), Problem> {
    let part = match letters.peek() {
        Some('(') => {
            letters.next();
            Part::Output(syntax::parse(&until_closed(letters)?)?)
        }
        Some('{') => {
            letters.next();
            let inside = until(letters, '}')?;
            let (name, default) = inside.split_once(":-").unwrap_or((&inside, ""));
            Part::Variable {
                name: name.to_owned(),
                default: default.to_owned(),
            }
        }
        Some(&letter @ ('?' | '#' | '@' | '0'..='9')) => {
            letters.next();
            Part::Variable {
                name: letter.to_string(),
                default: String::new(),
            }
        }
        _ => {
            let mut name = String::new();
            while let Some(letter) =
                letters.next_if(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            {
                name.push(letter);
            }
            if name.is_empty() {
                text(pieces, "$", quoted);
                return Ok(());
            }
            Part::Variable {
                name,
                default: String::new(),
            }
        }
    };
    pieces.push(Piece { part, quoted });
    Ok(())
}

/// Adds text to the last piece if that is of the same kind.
fn text(pieces: &mut Word, more: &str, quoted: bool) {
    match pieces.last_mut() {
        Some(Piece {
            part: Part::Text(so_far),
            quoted: same,
        }) if *same == quoted => so_far.push_str(more),
        _ => pieces.push(Piece {
            part: Part::Text(more.to_owned()),
            quoted,
        }),
    }
}

fn until(letters: &mut Peekable<Chars>, end: char) -> Result<String, Problem> {
    let mut found = String::new();
    loop {
        match letters.next().ok_or(Problem::Unfinished)? {
            letter if letter == end => return Ok(found),
            letter => found.push(letter),
        }
    }
}

/// Takes all up to the parenthesis that closes one, over those in between and over what is quoted.
fn until_closed(letters: &mut Peekable<Chars>) -> Result<String, Problem> {
    let mut found = String::new();
    let mut depth = 1;
    loop {
        let letter = letters.next().ok_or(Problem::Unfinished)?;
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\'' | '"' => found.push_str(&format!("{letter}{}", until(letters, letter)?)),
            '\\' => found.push(letter),
            _ => {}
        }
        if depth == 0 {
            return Ok(found);
        }
        found.push(if letter == '\\' {
            letters.next().ok_or(Problem::Unfinished)?
        } else {
            letter
        });
    }
}
