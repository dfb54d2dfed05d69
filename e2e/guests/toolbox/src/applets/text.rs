//! Commands that print, read and compare text.

use std::fs;
use std::io::{self, BufRead};

use crate::process::{Outcome, Process};

pub fn echo(process: &Process) -> Outcome {
    let (newline, words) = match process.arguments {
        [first, rest @ ..] if first == "-n" => ("", rest),
        all => ("\n", all),
    };
    process.print(&format!("{}{newline}", words.join(" ")))?;
    Ok(0)
}

pub fn cat(process: &Process) -> Outcome {
    process.each_input(process.arguments, |input| {
        // (as it comes: a terminal's lines are answered one by one)
        loop {
            let available = input.fill_buf()?;
            if available.is_empty() {
                return Ok(());
            }
            let mut output = process.streams.output.borrow_mut();
            output.write_all(available)?;
            output.flush()?;
            let taken = available.len();
            input.consume(taken);
        }
    })
}

pub fn head(process: &Process) -> Outcome {
    let (count, files) = match process.arguments {
        [first, number, rest @ ..] if first == "-n" => (number.parse()?, rest),
        all => (10, all),
    };
    process.each_input(files, |input| {
        for line in input.lines().take(count) {
            process.print(&format!("{}\n", line?))?;
        }
        Ok(())
    })
}

/// Lines, words and bytes; `-l`, `-w` and `-c` choose.
pub fn wc(process: &Process) -> Outcome {
    let (letters, files) = process.options();
    process.each_input(files, |input| {
        let mut all = Vec::new();
        input.read_to_end(&mut all)?;
        let lines = all.iter().filter(|byte| **byte == b'\n').count();
        let words = String::from_utf8_lossy(&all).split_whitespace().count();
        let counts = [('l', lines), ('w', words), ('c', all.len())]
            .into_iter()
            .filter(|(letter, _)| letters.is_empty() || letters.contains(*letter))
            .map(|(_, count)| count.to_string());
        process.print(&format!("{}\n", counts.collect::<Vec<_>>().join(" ")))
    })
}

/// Fixed strings only; `-q` says nothing, `-v` turns it round.
pub fn grep(process: &Process) -> Outcome {
    let (letters, rest) = process.options();
    let [wanted, files @ ..] = rest else {
        return Err("a text to look for is missing".into());
    };
    let mut found = false;
    process.each_input(files, |input| {
        for line in input.lines() {
            let line = line?;
            if line.contains(wanted.as_str()) != letters.contains('v') {
                found = true;
                if !letters.contains('q') {
                    process.print(&format!("{line}\n"))?;
                }
            }
        }
        Ok(())
    })?;
    Ok(i32::from(!found))
}

pub fn seq(process: &Process) -> Outcome {
    let numbers: Vec<i64> = process
        .arguments
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()?;
    let (first, last) = match numbers[..] {
        [last] => (1, last),
        [first, last] => (first, last),
        _ => return Err("one or two numbers are wanted: seq [FIRST] LAST".into()),
    };
    for number in first..=last {
        process.print(&format!("{number}\n"))?;
    }
    Ok(0)
}

/// `%s` and `%d` take the next argument, `\n` and `\t` are what they say.
pub fn printf(process: &Process) -> Outcome {
    let [format, arguments @ ..] = process.arguments else {
        return Err("a format is missing".into());
    };
    let mut arguments = arguments.iter();
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next() {
                Some('s' | 'd') => text.push_str(arguments.next().map_or("", String::as_str)),
                Some('%') => text.push('%'),
                _ => return Err(format!("{format}: only %s, %d and %% are known").into()),
            },
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                other => text.extend(other),
            },
            plain => text.push(plain),
        }
    }
    process.print(&text)?;
    Ok(0)
}

pub fn test(process: &Process) -> Outcome {
    let mut words: Vec<&str> = process.arguments.iter().map(String::as_str).collect();
    if words.last() == Some(&"]") {
        words.pop();
    }
    let negated = words.first() == Some(&"!");
    let holds = holds(process, &words[usize::from(negated)..])?;
    Ok(i32::from(holds == negated))
}

fn holds(process: &Process, words: &[&str]) -> Result<bool, Box<dyn std::error::Error>> {
    let metadata = |path: &str| fs::metadata(process.path(path));
    Ok(match words {
        [] => false,
        [word] | ["-n", word] => !word.is_empty(),
        ["-z", word] => word.is_empty(),
        ["-e", path] => metadata(path).is_ok(),
        ["-f", path] => metadata(path).is_ok_and(|found| found.is_file()),
        ["-d", path] => metadata(path).is_ok_and(|found| found.is_dir()),
        ["-s", path] => metadata(path).is_ok_and(|found| found.len() > 0),
        ["-L", path] => {
            fs::symlink_metadata(process.path(path)).is_ok_and(|found| found.is_symlink())
        }
        [left, "=", right] => left == right,
        [left, "!=", right] => left != right,
        [left, operator, right] => {
            let (left, right): (i64, i64) = (left.parse()?, right.parse()?);
            match *operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                "-ge" => left >= right,
                other => return Err(format!("{other}: no such operator").into()),
            }
        }
        other => return Err(format!("{}: not understood", other.join(" ")).into()),
    })
}

/// Returns all that a reader has.
pub fn all_of(input: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    input.read_to_end(&mut all)?;
    Ok(all)
}
