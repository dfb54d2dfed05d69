//! What a command has of its surroundings.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::rc::Rc;

/// A stream to read from, shared by a shell and its commands.
pub type Input = Rc<RefCell<dyn BufRead>>;

/// A stream to write to, which two descriptors may share.
pub type Output = Rc<RefCell<dyn Write>>;

/// The exit status of a command, or why it failed.
pub type Outcome = Result<i32, Box<dyn Error>>;

/// The three standard streams.
#[derive(Clone)]
pub struct Streams {
    pub input: Input,
    pub output: Output,
    pub errors: Output,
}

impl Streams {
    pub fn of_the_guest() -> Self {
        Self {
            input: Rc::new(RefCell::new(BufReader::new(io::stdin()))),
            output: Rc::new(RefCell::new(io::stdout())),
            errors: Rc::new(RefCell::new(io::stderr())),
        }
    }
}

/// A command that is about to run. There are no processes in a guest: commands are calls.
pub struct Process<'a> {
    /// Without the command's name.
    pub arguments: &'a [String],
    pub environment: &'a BTreeMap<String, String>,
    /// Where relative paths begin; a guest cannot change its own directory.
    pub directory: &'a str,
    pub streams: &'a Streams,
}

impl Process<'_> {
    /// Returns the arguments from the first that is no option, and the letters of the options before it.
    pub fn options(&self) -> (String, &[String]) {
        let count = self
            .arguments
            .iter()
            .take_while(|word| word.len() > 1 && word.starts_with('-'))
            .count();
        let letters = self.arguments[..count]
            .iter()
            .flat_map(|word| word.chars().skip(1))
            .collect();
        (letters, &self.arguments[count..])
    }

    /// Returns where a path leads.
    pub fn path(&self, given: &str) -> String {
        absolute(self.directory, given)
    }

    /// Writes to standard output.
    pub fn print(&self, text: &str) -> io::Result<()> {
        self.streams.output.borrow_mut().write_all(text.as_bytes())
    }

    /// Runs something on each file that is named, or on standard input if none is.
    pub fn each_input(
        &self,
        files: &[String],
        mut each: impl FnMut(&mut dyn BufRead) -> io::Result<()>,
    ) -> Outcome {
        if files.is_empty() {
            each(&mut *self.streams.input.borrow_mut())?;
        }
        for name in files {
            let file =
                std::fs::File::open(self.path(name)).map_err(|problem| about(name, &problem))?;
            each(&mut BufReader::new(file)).map_err(|problem| about(name, &problem))?;
        }
        Ok(0)
    }
}

/// Returns a path as seen from the root.
pub fn absolute(directory: &str, given: &str) -> String {
    if given.starts_with('/') {
        given.to_owned()
    } else {
        format!("{}/{given}", directory.trim_end_matches('/'))
    }
}

/// Says what a failure was about, in the words of native tools: without the number of the error.
pub fn about(what: &str, problem: &io::Error) -> String {
    let text = problem.to_string();
    format!(
        "{what}: {}",
        text.split(" (os error").next().unwrap_or(&text)
    )
}
