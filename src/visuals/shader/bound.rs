//! No shader may hang the machine: every loop of a module counts its turns and ends when a fragment's budget is spent.
//!
//! Neither WGSL nor GLSL has recursion, so loops are all that can run for ever; calls that double at each level are
//! refused by what they come to (`cost`). Pure; knows naga's modules and no text.

use naga::valid::ModuleInfo;
use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, GlobalVariable, Handle, Literal, Module, Range, Scalar,
    Span, Statement, Type, TypeInner,
};

use super::branch;
use super::check::Fault;
use super::cost::Costs;

/// Turns of loops that one fragment may take, all loops together; a long turn counts as several. A ray marcher with
/// shadows takes 1,000 to 8,000. At 20,000 short turns a frame of 1280x720 costs about 20 billion.
pub const TURNS: u32 = 20_000;

/// A turn counts one more for each so many operations in it, those of the functions that it calls included.
const OPERATIONS_PER_TURN: u64 = 64;

/// Memory of one fragment for variables. Software drivers keep it on the stack, for eight fragments and more at once.
const MEMORY_BYTES: u64 = 64 * 1024;

/// Limits what the module may take in time and memory. It must be valid, with this `info`, and is valid afterwards.
pub(super) fn bound(module: &mut Module, info: &ModuleInfo, source: &str) -> Result<(), Fault> {
    memory(module, source)?;
    let costs = Costs::of(module, info, source)?;
    branch::veil(module);
    let turns = private(module, "xiao_turns", Scalar::U32);
    let functions = module.functions.iter_mut().map(|(_, f)| f);
    for (at, function) in functions.chain(module.entry_points.iter_mut().map(|e| &mut e.function)).enumerate() {
        let mut body = std::mem::take(&mut function.body);
        count_in(&mut body, function, turns, &|block| costs.length(at, block));
        function.body = body;
    }
    Ok(())
}

/// A variable of ours, of each fragment's own, 0 or false as it begins.
pub(super) fn private(module: &mut Module, name: &str, scalar: Scalar) -> Handle<GlobalVariable> {
    let ty = module.types.insert(Type { name: None, inner: TypeInner::Scalar(scalar) }, Span::UNDEFINED);
    let variable = GlobalVariable {
        name: Some(name.into()),
        space: AddressSpace::Private,
        binding: None,
        ty,
        init: None,
        memory_decorations: naga::MemoryDecorations::empty(),
    };
    module.global_variables.append(variable, Span::UNDEFINED)
}

/// Puts the count at the head of every loop in the block.
fn count_in(block: &mut Block, function: &mut Function, turns: Handle<GlobalVariable>, length: &dyn Fn(&Block) -> u64) {
    for statement in block.iter_mut() {
        match statement {
            Statement::Block(block) => count_in(block, function, turns, length),
            Statement::If { accept, reject, .. } => {
                count_in(accept, function, turns, length);
                count_in(reject, function, turns, length);
            }
            Statement::Switch { cases, .. } => {
                for case in cases {
                    count_in(&mut case.body, function, turns, length);
                }
            }
            Statement::Loop { body, continuing, .. } => {
                let operations = length(body).saturating_add(length(continuing));
                count_in(body, function, turns, length);
                count_in(continuing, function, turns, length);
                let weight = 1 + operations / OPERATIONS_PER_TURN;
                // The head of the body is where `continue` comes by too.
                let head = head(function, turns, weight.min(u64::from(TURNS)) as u32);
                body.splice(0..0, head);
            }
            _ => {}
        }
    }
}

/// `turns += weight; if turns > TURNS { break; }`. Later turns only add: 4 billion calls would wrap, not 200,000.
fn head(function: &mut Function, turns: Handle<GlobalVariable>, weight: u32) -> Block {
    let mut add = |e| function.expressions.append(e, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(turns));
    let weight = add(Expression::Literal(Literal::U32(weight)));
    let budget = add(Expression::Literal(Literal::U32(TURNS)));
    let before = add(Expression::Load { pointer });
    let after = add(Expression::Binary { op: BinaryOperator::Add, left: before, right: weight });
    let spent = add(Expression::Binary { op: BinaryOperator::Greater, left: after, right: budget });
    let leave =
        Statement::If { condition: spent, accept: Block::from_vec(vec![Statement::Break]), reject: Block::new() };
    Block::from_vec(vec![
        Statement::Emit(Range::new_from_bounds(before, spent)),
        Statement::Store { pointer, value: after },
        leave,
    ])
}

/// Refuses types and variables that take too much memory.
fn memory(module: &Module, source: &str) -> Result<(), Fault> {
    let size = |ty: Handle<Type>| module.types[ty].inner.try_size(module.to_ctx()).map_or(u64::MAX, u64::from);
    let refuse = |span, what: &str, bytes: u64| {
        let much = if bytes == u64::MAX { "more than 4 GiB".into() } else { format!("{} KiB", bytes.div_ceil(1024)) };
        Err(Fault::at(Some(span), source, format!("{what} takes {much}; a shader may have {}", MEMORY_BYTES / 1024)))
    };
    let private = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::Private);
    let functions = module.functions.iter().map(|(_, f)| f).chain(module.entry_points.iter().map(|e| &e.function));
    let locals = functions.flat_map(|f| f.local_variables.iter().map(|(h, v)| (f.local_variables.get_span(h), v.ty)));
    let variables = private.map(|(h, v)| (module.global_variables.get_span(h), v.ty)).chain(locals);
    let mut sum = 0u64;
    for (span, ty) in variables {
        sum = sum.saturating_add(size(ty));
        if sum > MEMORY_BYTES {
            return refuse(span, "with this variable the shader", sum);
        }
    }
    for (handle, _) in module.types.iter() {
        if size(handle) > MEMORY_BYTES {
            return refuse(made(module, handle), "a value here", size(handle));
        }
    }
    Ok(())
}

/// Where a value of this type is made first; the type's own place if it has one.
fn made(module: &Module, wanted: Handle<Type>) -> Span {
    let functions = module.functions.iter().map(|(_, f)| &f.expressions);
    let arenas = std::iter::once(&module.global_expressions).chain(functions);
    let makes = |e: &Expression| match e {
        Expression::ZeroValue(ty) | Expression::Compose { ty, .. } => *ty == wanted,
        _ => false,
    };
    let mut spans = arenas.flat_map(|arena| arena.iter().filter(|(_, e)| makes(e)).map(|(h, _)| arena.get_span(h)));
    let own = module.types.get_span(wanted);
    if own.is_defined() { own } else { spans.find(|s| s.is_defined()).unwrap_or(own) }
}

/// Lets a function that runs out of its end after a loop return zero, where the language leaves it open.
pub(super) fn mend_returns(module: &mut Module) {
    let functions = module.functions.iter_mut().map(|(_, f)| f);
    for function in functions.filter(|f| f.result.is_some()) {
        let ty = function.result.as_ref().map(|r| r.ty).expect("only those with a result are left");
        let zero = function.expressions.append(Expression::ZeroValue(ty), Span::UNDEFINED);
        mend(&mut function.body, zero);
    }
}

fn mend(block: &mut Block, zero: Handle<Expression>) {
    for statement in block.iter_mut() {
        match statement {
            Statement::Return { value } if value.is_none() => *value = Some(zero),
            Statement::Block(block) => mend(block, zero),
            Statement::If { accept, reject, .. } => {
                mend(accept, zero);
                mend(reject, zero);
            }
            Statement::Switch { cases, .. } => cases.iter_mut().for_each(|c| mend(&mut c.body, zero)),
            Statement::Loop { body, .. } => mend(body, zero),
            _ => {}
        }
    }
}

/// The same for functions that end in a loop only: WGSL asks for a `return` elsewhere, and should say where it lacks.
pub(super) fn mend_loops(module: &mut Module) {
    let functions = module.functions.iter_mut().map(|(_, f)| f);
    for function in functions.filter(|f| f.result.is_some()) {
        let statements: &[Statement] = &function.body;
        if let [.., Statement::Loop { .. }, Statement::Return { value: None }] = statements {
            let ty = function.result.as_ref().map(|r| r.ty).expect("only those with a result are left");
            let value = Some(function.expressions.append(Expression::ZeroValue(ty), Span::UNDEFINED));
            if let Some(last) = function.body.last_mut() {
                *last = Statement::Return { value };
            }
        }
    }
}
