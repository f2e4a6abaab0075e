//! What a module comes to before it runs: how many operations a pass through its functions takes, with every call written
//! out, as drivers do, and how deep it goes. Pure; knows naga's modules and no text.

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{Block, Expression, Function, Handle, Module, Statement, Type, TypeInner};

use super::check::Fault;

/// Operations of a module with every call inlined. Written shaders have some thousands.
const INLINED: u64 = 200_000;

/// Types within types, and functions that call functions. Whoever reads the written text again descends as deep, on a
/// thread without a guard.
const LEVELS: usize = 32;

/// An operation moves so many bytes at once: a whole array counts as many.
const OPERATION_BYTES: u64 = 16;

/// The costs of a module as it was when it was measured.
pub(super) struct Costs {
    /// Of each expression, in the functions and then the entry points.
    expressions: Vec<Vec<u64>>,
    /// Of each function, with all its calls.
    inlined: Vec<u64>,
}

impl Costs {
    /// Measures a valid module; refuses one that goes too deep or comes to too much.
    pub fn of(module: &Module, info: &ModuleInfo, source: &str) -> Result<Costs, Fault> {
        types(module, source)?;
        let mut costs = Costs { expressions: Vec::new(), inlined: Vec::new() };
        // A valid module has callees before callers.
        let mut levels: Vec<usize> = Vec::new();
        for (handle, function) in module.functions.iter() {
            costs.expressions.push(sizes(module, function, &info[handle]));
            let length = costs.length(costs.inlined.len(), &function.body);
            let span = Some(module.functions.get_span(handle));
            let name = function.name.as_deref().unwrap_or("a function");
            if length > INLINED {
                let message = format!("{name} comes to {length} operations with all that it calls; at most {INLINED}");
                return Err(Fault::at(span, source, message));
            }
            let mut level = 0;
            each(&function.body, &mut |statement| {
                if let Statement::Call { function, .. } = statement {
                    level = level.max(1 + levels[function.index()]);
                }
            });
            if level > LEVELS {
                let message = format!("{name} calls functions that call functions, {level} deep; at most {LEVELS}");
                return Err(Fault::at(span, source, message));
            }
            costs.inlined.push(length);
            levels.push(level);
        }
        for (at, entry) in module.entry_points.iter().enumerate() {
            costs.expressions.push(sizes(module, &entry.function, info.get_entry_point(at)));
            let length = costs.length(costs.inlined.len() + at, &entry.function.body);
            if length > INLINED {
                let message = format!("the shader comes to {length} operations with all calls; at most {INLINED}");
                return Err(Fault::new(1, message));
            }
        }
        Ok(costs)
    }

    /// What a pass through a block of a function costs, without the turns of loops within it. Functions count from 0, the
    /// entry points after them.
    pub fn length(&self, function: usize, block: &Block) -> u64 {
        // What was put into the function after it was measured is small.
        let size = |e: &Handle<Expression>| self.expressions[function].get(e.index()).copied().unwrap_or(1);
        let mut sum = 0u64;
        each(block, &mut |statement| {
            let more: u64 = match statement {
                Statement::Emit(range) => range.clone().map(|e| size(&e)).sum(),
                Statement::Store { value, .. } | Statement::Return { value: Some(value) } => size(value),
                Statement::Call { function, arguments, .. } => {
                    self.inlined[function.index()].saturating_add(arguments.iter().map(size).sum())
                }
                _ => 0,
            };
            sum = sum.saturating_add(more).saturating_add(1);
        });
        sum
    }
}

/// Every statement of a block and of the blocks within it.
fn each(block: &Block, see: &mut impl FnMut(&Statement)) {
    for statement in block.iter() {
        see(statement);
        match statement {
            Statement::Block(block) => each(block, see),
            Statement::If { accept, reject, .. } => {
                each(accept, see);
                each(reject, see);
            }
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| each(&case.body, see)),
            Statement::Loop { body, continuing, .. } => {
                each(body, see);
                each(continuing, see);
            }
            _ => {}
        }
    }
}

/// The operations that each expression of a function takes: as many as what it makes is large.
fn sizes(module: &Module, function: &Function, info: &FunctionInfo) -> Vec<u64> {
    let bytes = |inner: &TypeInner| inner.try_size(module.to_ctx()).map_or(0, u64::from);
    let size =
        |handle: Handle<Expression>| bytes(info[handle].ty.inner_with(&module.types)).div_ceil(OPERATION_BYTES).max(1);
    function.expressions.iter().map(|(handle, _)| size(handle)).collect()
}

/// Refuses types that go too deep.
fn types(module: &Module, source: &str) -> Result<(), Fault> {
    let mut levels: Vec<usize> = Vec::new();
    for (handle, ty) in module.types.iter() {
        let below = |base: &Handle<Type>| levels[base.index()];
        let level = match &ty.inner {
            TypeInner::Array { base, .. } | TypeInner::Pointer { base, .. } => 1 + below(base),
            TypeInner::Struct { members, .. } => 1 + members.iter().map(|m| below(&m.ty)).max().unwrap_or(0),
            _ => 0,
        };
        if level > LEVELS {
            let message = format!("a type holds types that hold types, {level} deep; at most {LEVELS}");
            return Err(Fault::at(Some(module.types.get_span(handle)), source, message));
        }
        levels.push(level);
    }
    Ok(())
}
