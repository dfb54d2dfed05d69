//! How hard a program is to compile, looked at before it is.

use crate::failure::{Failure, Result};
use wasmparser::{FuncValidatorAllocations, FunctionBody, Operator, Parser, ValidPayload, Validator, WasmFeatures};

/// The greatest product of a function's branches and of the values that may be of use at each, [`ALWAYS`] among them. The
/// compiler keeps 7 to 9 bytes for each unit: 400 MB at this product, where an optimized `CPython`, `SQLite` and a compiler
/// written in Go have 2 million at most.
const HARDEST: u64 = 50_000_000;
/// What a branch costs beside the values: as much as so many of them.
const ALWAYS: u64 = 100;
/// Functions of a program, each of which takes the compiler 6 KB even if it is empty. The programs above have 30,000.
const MOST_FUNCTIONS: u64 = 100_000;
/// Bytes of all functions, each of which takes the compiler some 30 bytes. The programs above have 12 MB.
const MOST_CODE: u64 = 64 << 20;

/// What makes one function hard to compile.
#[derive(Clone, Copy)]
struct Complexity {
    /// Variables that are used, and the most values on the operand stack.
    values: u64,
    branches: u64,
}

impl Complexity {
    fn product(self) -> u64 {
        self.values.saturating_add(ALWAYS).saturating_mul(self.branches)
    }
}

/// Refuses a binary program that would take the compiler more memory and time than any useful one does. One that is not valid
/// is not refused here, since the compiler says better what is wrong.
pub(crate) fn check(name: &str, bytes: &[u8]) -> Result<()> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut allocations = FuncValidatorAllocations::default();
    let (mut functions, mut code) = (0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Ok(()) };
        let (to_validate, body) = match validator.payload(&payload) {
            Ok(ValidPayload::Func(to_validate, body)) => (to_validate, body),
            Ok(_) => continue,
            Err(_) => return Ok(()),
        };
        let length = body.range().len() as u64;
        functions += 1;
        code += length;
        if functions > MOST_FUNCTIONS || code > MOST_CODE {
            return Err(Failure::invalid(format!(
                "{name} is too large to compile: it has more than {MOST_FUNCTIONS} functions or {MOST_CODE} bytes of code; split it, \
                 or build with optimization"
            )));
        }
        // A byte makes at most one value that is used, or one branch.
        if (Complexity { values: length, branches: length }).product() <= HARDEST {
            continue;
        }
        let index = to_validate.index;
        let mut function = to_validate.into_validator(allocations);
        let Some(found) = measure(&mut function, &body) else { return Ok(()) };
        if found.product() > HARDEST {
            return Err(Failure::invalid(format!(
                "{name} is too hard to compile: its function {index} has {} branches with {} values in use, whose product, {ALWAYS} \
                 more for each branch, may be at most {HARDEST}; split the function, or build with optimization",
                found.branches, found.values
            )));
        }
        allocations = function.into_allocations();
    }
    Ok(())
}

/// Nothing if the function is not valid.
fn measure(
    function: &mut wasmparser::FuncValidator<impl wasmparser::WasmModuleResources>,
    body: &FunctionBody,
) -> Option<Complexity> {
    function.read_locals(&mut body.get_binary_reader()).ok()?;
    let mut operators = body.get_operators_reader().ok()?;
    let (mut branches, mut height) = (0, 0);
    let mut used = vec![false; usize::try_from(function.len_locals()).ok()?];
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset().ok()?;
        function.op(offset, &operator).ok()?;
        height = height.max(function.operand_stack_height());
        match operator {
            Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } => {
                *used.get_mut(usize::try_from(local_index).ok()?)? = true;
            }
            Operator::BrTable { targets } => branches += u64::from(targets.len()),
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. } => branches += 1,
            _ => {}
        }
    }
    let values = used.iter().filter(|used| **used).count() as u64 + u64::from(height);
    Some(Complexity { values, branches })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `blocks` blocks over `locals` variables, all of which are in use until the end.
    fn function(blocks: usize, locals: usize) -> Vec<u8> {
        let declared = "(local i32)".repeat(locals);
        let uses: Vec<_> = (0..locals).map(|local| format!("local.get {local} drop")).collect();
        let text = format!("(module (func {declared} {} {}))", "block end ".repeat(blocks), uses.join(" "));
        wat::parse_str(text).expect("text of a module")
    }

    #[test]
    fn ordinary_functions_are_accepted() {
        check("app.wasm", &function(1000, 1000)).expect("accepted");
        check("app.wasm", &function(20_000, 50)).expect("accepted");
    }

    #[test]
    fn variables_that_are_not_used_do_not_count() {
        let text = format!("(module (func {} {}))", "(local i32)".repeat(50_000), "block end ".repeat(20_000));
        check("app.wasm", &wat::parse_str(text).expect("text of a module")).expect("accepted");
    }

    #[test]
    fn a_function_of_many_branches_over_many_variables_is_refused_by_its_number() {
        let refused = check("app.wasm", &function(10_000, 5000)).expect_err("refused");
        assert!(refused.text.contains("function 0 has 20001 branches with 5001 values"), "{}", refused.text);
    }

    #[test]
    fn values_on_the_operand_stack_count_as_variables() {
        let text = format!(
            "(module (func {} {} {}))",
            "i32.const 0 ".repeat(5000),
            "block end ".repeat(10_000),
            "drop ".repeat(5000)
        );
        check("app.wasm", &wat::parse_str(text).expect("text of a module")).expect_err("refused");
    }

    #[test]
    fn blocks_in_blocks_are_refused_when_there_are_very_many() {
        let text = format!("(module (func {} {}))", "block ".repeat(300_000), "end ".repeat(300_000));
        check("app.wasm", &wat::parse_str(text).expect("text of a module")).expect_err("refused");
    }

    #[test]
    fn functions_are_counted_over_all_modules_of_a_component() {
        let module = |name| format!("(core module {name} {})", "(func)".repeat(60_000));
        let one = wat::parse_str(format!("(component {})", module("$a"))).expect("text of a component");
        let two =
            wat::parse_str(format!("(component {} {})", module("$a"), module("$b"))).expect("text of a component");
        check("app.wasm", &one).expect("accepted");
        check("app.wasm", &two).expect_err("refused");
    }

    #[test]
    fn what_is_not_valid_is_left_to_the_compiler() {
        check("app.wasm", b"\0asm\x01\0\0\0\x0a\xff").expect("left to the compiler");
    }
}
