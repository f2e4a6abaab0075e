//! No shader may hang the machine: every loop of a module counts its turns and ends when a fragment's budget is spent.
//!
//! Neither WGSL nor GLSL has recursion, so loops are all that can run for ever; calls that double at each level are
//! refused by how much they come to, as drivers inline them all. Pure; knows naga's modules and no text.

use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, GlobalVariable, Handle, Literal, Module, Range, Scalar,
    Span, Statement, Type, TypeInner,
};

use super::check::Fault;

/// Turns of loops that one fragment may take, all loops together; a long turn counts as several. A ray marcher with
/// shadows takes 1,000 to 8,000. At 20,000 short turns a frame of 1280x720 costs about 20 billion.
pub const TURNS: u32 = 20_000;

/// A turn counts one more for each so many expressions in it, those of the functions that it calls included.
const EXPRESSIONS_PER_TURN: u64 = 64;

/// Expressions of a module with every call inlined. Written shaders have some thousands.
const INLINED: u64 = 200_000;

/// Memory of one fragment for variables. Software drivers keep it on the stack, for eight fragments and more at once.
const MEMORY_BYTES: u64 = 64 * 1024;

/// Limits what the module may take in time and memory. It must be valid and is valid afterwards.
pub(super) fn bound(module: &mut Module, source: &str) -> Result<(), Fault> {
    memory(module, source)?;
    let inlined = inlined(module, source)?;
    let word = Type { name: None, inner: TypeInner::Scalar(Scalar::U32) };
    let ty = module.types.insert(word, Span::UNDEFINED);
    let turns = module.global_variables.append(
        GlobalVariable {
            name: Some("xiao_turns".into()),
            space: AddressSpace::Private,
            binding: None,
            ty,
            init: None,
            memory_decorations: naga::MemoryDecorations::empty(),
        },
        Span::UNDEFINED,
    );
    let functions = module.functions.iter_mut().map(|(_, f)| f);
    for function in functions.chain(module.entry_points.iter_mut().map(|e| &mut e.function)) {
        let mut body = std::mem::take(&mut function.body);
        count_in(&mut body, function, turns, &inlined);
        function.body = body;
    }
    Ok(())
}

/// Puts the count at the head of every loop in the block.
fn count_in(block: &mut Block, function: &mut Function, turns: Handle<GlobalVariable>, inlined: &[u64]) {
    for statement in block.iter_mut() {
        match statement {
            Statement::Block(block) => count_in(block, function, turns, inlined),
            Statement::If { accept, reject, .. } => {
                count_in(accept, function, turns, inlined);
                count_in(reject, function, turns, inlined);
            }
            Statement::Switch { cases, .. } => {
                for case in cases {
                    count_in(&mut case.body, function, turns, inlined);
                }
            }
            Statement::Loop { body, continuing, .. } => {
                let length = length(body, inlined).saturating_add(length(continuing, inlined));
                count_in(body, function, turns, inlined);
                count_in(continuing, function, turns, inlined);
                let weight = 1 + length / EXPRESSIONS_PER_TURN;
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

/// How many expressions and statements a pass through the block computes, without the turns of loops within it.
fn length(block: &Block, inlined: &[u64]) -> u64 {
    let mut sum = 0u64;
    for statement in block.iter() {
        let more = match statement {
            Statement::Emit(range) => range.clone().count() as u64,
            Statement::Block(block) => length(block, inlined),
            Statement::If { accept, reject, .. } => length(accept, inlined) + length(reject, inlined),
            Statement::Switch { cases, .. } => cases.iter().map(|c| length(&c.body, inlined)).sum(),
            Statement::Loop { body, continuing, .. } => length(body, inlined) + length(continuing, inlined),
            Statement::Call { function, .. } => inlined.get(function.index()).copied().unwrap_or(0),
            _ => 0,
        };
        sum = sum.saturating_add(more).saturating_add(1);
    }
    sum
}

/// The length of each function with all its calls inlined. A valid module has callees before callers.
fn inlined(module: &Module, source: &str) -> Result<Vec<u64>, Fault> {
    let mut lengths: Vec<u64> = Vec::new();
    for (handle, function) in module.functions.iter() {
        let length = length(&function.body, &lengths);
        if length > INLINED {
            let span = module.functions.get_span(handle);
            let name = function.name.as_deref().unwrap_or("a function");
            let message = format!("{name} comes to {length} operations with all that it calls; at most {INLINED}");
            return Err(Fault::at(Some(span), source, message));
        }
        lengths.push(length);
    }
    let total = module.entry_points.iter().map(|e| length(&e.function.body, &lengths)).max().unwrap_or(0);
    match total > INLINED {
        true => Err(Fault::new(1, format!("the shader comes to {total} operations with all calls; at most {INLINED}"))),
        false => Ok(lengths),
    }
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
