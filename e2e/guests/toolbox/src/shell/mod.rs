//! A shell, of which there is what conformance tests and users at a terminal need: quotes, variables, `$(..)`, lists, pipes,
//! redirections, `if`, `while`, `until`, `for`. Its commands are calls, not processes: those of a pipe run one after the
//! other, each with all the output of the one before, and nothing runs in the background.

mod syntax;
mod words;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{BufReader, Cursor, IsTerminal};
use std::rc::Rc;

use crate::applets;
use crate::process::{Process, Streams, about, absolute};
use syntax::{Command, Kind, Problem, Redirect, Script, Step, When};
use words::{Part, Word};

/// The status of a command that there is not, and of one that was used wrongly, as in any shell.
const NOT_FOUND: i32 = 127;
const WRONG_USAGE: i32 = 2;

/// Why a script does not go on with its next step.
enum Leave {
    Exit(i32),
    Break,
    Continue,
}

type Run = Result<i32, Leave>;

pub struct Shell {
    variables: BTreeMap<String, String>,
    directory: String,
    status: i32,
    /// `$0` and what follows.
    positional: Vec<String>,
}

impl Shell {
    /// Returns the shell of the program itself.
    pub fn of_the_guest() -> Self {
        let variables: BTreeMap<_, _> = env::vars().collect();
        let directory = variables
            .get("PWD")
            .cloned()
            .unwrap_or_else(|| "/".to_owned());
        Self {
            variables,
            directory,
            status: 0,
            positional: Vec::new(),
        }
    }

    /// Runs one command and returns its status.
    pub fn call(&mut self, words: &[String], streams: &Streams) -> i32 {
        match self.command(words, streams) {
            Ok(status) | Err(Leave::Exit(status)) => status,
            Err(Leave::Break | Leave::Continue) => 0,
        }
    }

    fn command(&mut self, words: &[String], streams: &Streams) -> Run {
        let Some((name, arguments)) = words.split_first() else {
            return Ok(0);
        };
        match name.rsplit('/').next().unwrap_or(name) {
            ":" => Ok(0),
            "break" => Err(Leave::Break),
            "continue" => Err(Leave::Continue),
            "exit" => Err(Leave::Exit(
                arguments
                    .first()
                    .map_or(Ok(self.status), |text| text.parse())
                    .unwrap_or(WRONG_USAGE),
            )),
            "export" => {
                for (key, value) in arguments.iter().filter_map(|word| word.split_once('=')) {
                    self.variables.insert(key.to_owned(), value.to_owned());
                }
                Ok(0)
            }
            "cd" => {
                Ok(self.change_directory(arguments.first().map_or("/", String::as_str), streams))
            }
            "exec" => Err(Leave::Exit(self.call(arguments, streams))),
            "sh" => Ok(self.sub_shell(arguments, streams)),
            "links" => {
                say(streams, &applets::links());
                Ok(0)
            }
            applet => Ok(self.applet(applet, arguments, streams)),
        }
    }

    fn applet(&self, name: &str, arguments: &[String], streams: &Streams) -> i32 {
        let Some(applet) = applets::find(name) else {
            complain(streams, "sh", &format!("{name}: not found"));
            return NOT_FOUND;
        };
        let process = Process {
            arguments,
            environment: &self.variables,
            directory: &self.directory,
            streams,
        };
        let outcome = applet(&process).and_then(|status| {
            streams.output.borrow_mut().flush()?;
            Ok(status)
        });
        outcome.unwrap_or_else(|problem| {
            complain(streams, name, &problem.to_string());
            1
        })
    }

    fn change_directory(&mut self, given: &str, streams: &Streams) -> i32 {
        let target = absolute(&self.directory, given);
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => {
                self.variables.insert("PWD".to_owned(), target.clone());
                self.directory = target;
                0
            }
            Ok(_) => {
                complain(streams, "cd", &format!("{given}: not a directory"));
                1
            }
            Err(problem) => {
                complain(streams, "cd", &about(given, &problem));
                1
            }
        }
    }

    /// `sh -c SCRIPT`, `sh FILE`, or `sh` alone, which runs what it reads, line by line.
    fn sub_shell(&self, arguments: &[String], streams: &Streams) -> i32 {
        let mut shell = Self {
            variables: self.variables.clone(),
            directory: self.directory.clone(),
            status: 0,
            positional: vec!["sh".to_owned()],
        };
        let script = match arguments {
            [] => return shell.read_and_run(streams),
            [option, script, rest @ ..] if option == "-c" => {
                if !rest.is_empty() {
                    shell.positional = rest.to_vec();
                }
                script.clone()
            }
            [file, ..] => match fs::read_to_string(absolute(&self.directory, file)) {
                Ok(text) => {
                    shell.positional = arguments.to_vec();
                    text
                }
                Err(problem) => {
                    complain(streams, "sh", &about(file, &problem));
                    return NOT_FOUND;
                }
            },
        };
        match syntax::parse(&script) {
            Ok(steps) => match shell.run(&steps, streams) {
                Ok(status) | Err(Leave::Exit(status)) => status,
                Err(Leave::Break | Leave::Continue) => shell.status,
            },
            Err(problem) => {
                complain(streams, "sh", &problem.to_string());
                WRONG_USAGE
            }
        }
    }

    fn read_and_run(&mut self, streams: &Streams) -> i32 {
        let prompt = if std::io::stdin().is_terminal() {
            "# "
        } else {
            ""
        };
        let mut text = String::new();
        loop {
            say(streams, prompt);
            match streams.input.borrow_mut().read_line(&mut text) {
                Ok(0) | Err(_) => return self.status,
                Ok(_) => {}
            }
            match syntax::parse(&text) {
                Err(Problem::Unfinished) => continue,
                Err(problem) => {
                    complain(streams, "sh", &problem.to_string());
                    self.status = WRONG_USAGE;
                }
                Ok(steps) => {
                    if let Err(Leave::Exit(status)) = self.run(&steps, streams) {
                        return status;
                    }
                }
            }
            text.clear();
        }
    }

    fn run(&mut self, script: &Script, streams: &Streams) -> Run {
        for step in script {
            let wanted = match step.when {
                When::Always => true,
                When::Success => self.status == 0,
                When::Failure => self.status != 0,
            };
            if wanted {
                self.status = self.step(step, streams)?;
            }
        }
        Ok(self.status)
    }

    fn step(&mut self, step: &Step, streams: &Streams) -> Run {
        let Some((last, before)) = step.commands.split_last() else {
            return Ok(0);
        };
        let mut streams = streams.clone();
        for command in before {
            let piped = Rc::new(RefCell::new(Vec::new()));
            self.compound(
                command,
                &Streams {
                    output: piped.clone(),
                    ..streams.clone()
                },
            )?;
            streams.input = Rc::new(RefCell::new(Cursor::new(piped.take())));
        }
        let status = self.compound(last, &streams)?;
        Ok(if step.negated {
            i32::from(status == 0)
        } else {
            status
        })
    }

    fn compound(&mut self, command: &Command, streams: &Streams) -> Run {
        let streams = match self.redirected(&command.redirects, streams) {
            Ok(streams) => streams,
            Err(problem) => {
                complain(streams, "sh", &problem.to_string());
                return Ok(1);
            }
        };
        match &command.kind {
            Kind::Simple { assignments, words } => self.simple(assignments, words, &streams),
            Kind::Group(body) => self.run(body, &streams),
            Kind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    if self.run(condition, &streams)? == 0 {
                        return self.branch(body, &streams);
                    }
                }
                self.branch(otherwise, &streams)
            }
            Kind::Loop {
                while_success,
                condition,
                body,
            } => {
                let mut status = 0;
                while (self.run(condition, &streams)? == 0) == *while_success {
                    match self.turn(body, &streams)? {
                        Some(of_turn) => status = of_turn,
                        None => break,
                    }
                }
                Ok(status)
            }
            Kind::For { name, words, body } => {
                let mut status = 0;
                for value in self.expand_all(words, &streams) {
                    self.variables.insert(name.clone(), value);
                    match self.turn(body, &streams)? {
                        Some(of_turn) => status = of_turn,
                        None => break,
                    }
                }
                Ok(status)
            }
        }
    }

    /// The status of a branch without steps is success, whatever the condition's was.
    fn branch(&mut self, body: &Script, streams: &Streams) -> Run {
        self.status = 0;
        self.run(body, streams)
    }

    /// Runs a loop's body once; nothing comes back of the last turn.
    fn turn(&mut self, body: &Script, streams: &Streams) -> Result<Option<i32>, Leave> {
        match self.run(body, streams) {
            Ok(status) => Ok(Some(status)),
            Err(Leave::Continue) => Ok(Some(0)),
            Err(Leave::Break) => Ok(None),
            Err(exit) => Err(exit),
        }
    }

    fn simple(&mut self, assignments: &[(String, Word)], words: &[Word], streams: &Streams) -> Run {
        let words = self.expand_all(words, streams);
        let before = self.variables.clone();
        for (name, word) in assignments {
            let value = self.expand(word, streams).join(" ");
            self.variables.insert(name.clone(), value);
        }
        let status = self.command(&words, streams)?;
        if !words.is_empty() && !assignments.is_empty() {
            self.variables = before;
        }
        Ok(status)
    }

    fn redirected(
        &mut self,
        redirects: &[Redirect],
        streams: &Streams,
    ) -> Result<Streams, Box<dyn Error>> {
        let mut streams = streams.clone();
        for redirect in redirects {
            let target = self.expand(&redirect.target, &streams).join(" ");
            let path = absolute(&self.directory, &target);
            let to = match redirect.operator {
                "<" => {
                    let file = fs::File::open(&path).map_err(|problem| about(&target, &problem))?;
                    streams.input = Rc::new(RefCell::new(BufReader::new(file)));
                    continue;
                }
                ">&" if target == "1" => streams.output.clone(),
                ">&" if target == "2" => streams.errors.clone(),
                ">&" => {
                    return Err(format!("{target}: only descriptors 1 and 2 can be joined").into());
                }
                operator => {
                    let mut options = OpenOptions::new();
                    options
                        .create(true)
                        .write(true)
                        .append(operator == ">>")
                        .truncate(operator == ">");
                    let file = options
                        .open(&path)
                        .map_err(|problem| about(&target, &problem))?;
                    Rc::new(RefCell::new(file))
                }
            };
            match redirect.descriptor {
                1 => streams.output = to,
                2 => streams.errors = to,
                other => {
                    return Err(format!("{other}: only descriptors 0, 1 and 2 are known").into());
                }
            }
        }
        Ok(streams)
    }

    fn expand_all(&mut self, words: &[Word], streams: &Streams) -> Vec<String> {
        words
            .iter()
            .flat_map(|word| self.expand(word, streams))
            .collect()
    }

    /// A word becomes several where something that is not quoted has spaces, and none where it is empty.
    fn expand(&mut self, word: &Word, streams: &Streams) -> Vec<String> {
        let mut words = Vec::new();
        let mut current: Option<String> = None;
        for piece in word {
            let value = match &piece.part {
                Part::Text(text) => {
                    current.get_or_insert_default().push_str(text);
                    continue;
                }
                Part::Variable { name, default } => {
                    self.variable(name).unwrap_or_else(|| default.clone())
                }
                Part::Output(script) => self.output_of(script, streams),
            };
            if piece.quoted {
                current.get_or_insert_default().push_str(&value);
                continue;
            }
            if value.starts_with(char::is_whitespace) {
                words.extend(current.take());
            }
            let mut fields = value.split_whitespace().peekable();
            while let Some(field) = fields.next() {
                current.get_or_insert_default().push_str(field);
                if fields.peek().is_some() || value.ends_with(char::is_whitespace) {
                    words.extend(current.take());
                }
            }
        }
        words.extend(current);
        words
    }

    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.positional.len().saturating_sub(1).to_string()),
            "@" => Some(self.positional.get(1..).unwrap_or_default().join(" ")),
            _ => match name.parse::<usize>() {
                Ok(number) => self.positional.get(number).cloned(),
                Err(_) => self
                    .variables
                    .get(name)
                    .filter(|value| !value.is_empty())
                    .cloned(),
            },
        }
    }

    fn output_of(&mut self, script: &Script, streams: &Streams) -> String {
        let taken = Rc::new(RefCell::new(Vec::new()));
        // (what it changes stays its own, as in a process)
        let mut inner = Self {
            variables: self.variables.clone(),
            directory: self.directory.clone(),
            status: self.status,
            positional: self.positional.clone(),
        };
        self.status = match inner.run(
            script,
            &Streams {
                output: taken.clone(),
                ..streams.clone()
            },
        ) {
            Ok(status) | Err(Leave::Exit(status)) => status,
            Err(Leave::Break | Leave::Continue) => inner.status,
        };
        String::from_utf8_lossy(&taken.take())
            .trim_end_matches('\n')
            .to_owned()
    }
}

fn say(streams: &Streams, text: &str) {
    let mut output = streams.output.borrow_mut();
    // Without a reader there is nobody to tell.
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

fn complain(streams: &Streams, who: &str, what: &str) {
    // Without a reader there is nobody to tell.
    let _ = writeln!(streams.errors.borrow_mut(), "{who}: {what}");
}
