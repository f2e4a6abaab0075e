//! No branch may hang on uniforms alone: Mesa's software driver compiles a shader with such a branch anew for every draw,
//! with the values put in, and keeps each one; 22.3 took half a megabyte a frame where the branch left more than half of a
//! shader out. So every condition also asks whether the pixel lies right of the picture's left edge, which is always true
//! and which no compiler knows. Pure; knows naga's modules and no text.

use naga::{
    BinaryOperator, Binding, Block, BuiltIn, Expression, Function, GlobalVariable, Handle, Literal, Module, Range,
    Scalar, ShaderStage, Span, Statement,
};

use super::bound::private;

/// Veils every condition of the module. It must be valid and is valid afterwards.
pub(super) fn veil(module: &mut Module) {
    let inside = private(module, "xiao_inside", Scalar::BOOL);
    for (_, function) in module.functions.iter_mut() {
        let mut body = std::mem::take(&mut function.body);
        veil_in(&mut body, function, inside);
        function.body = body;
    }
    for entry in module.entry_points.iter_mut().filter(|entry| entry.stage == ShaderStage::Fragment) {
        let function = &mut entry.function;
        let is_place = |b: &Option<Binding>| matches!(b, Some(Binding::BuiltIn(BuiltIn::Position { .. })));
        let Some(at) = function.arguments.iter().position(|a| is_place(&a.binding)) else { continue };
        let mut add = |e| function.expressions.append(e, Span::UNDEFINED);
        let pointer = add(Expression::GlobalVariable(inside));
        let at = add(Expression::FunctionArgument(at as u32));
        let edge = add(Expression::Literal(Literal::F32(-1.0)));
        let x = add(Expression::AccessIndex { base: at, index: 0 });
        let value = add(Expression::Binary { op: BinaryOperator::Greater, left: x, right: edge });
        let ask = [Statement::Emit(Range::new_from_bounds(x, value)), Statement::Store { pointer, value }];
        function.body.splice(0..0, Block::from_vec(ask.into()));
    }
}

fn veil_in(block: &mut Block, function: &mut Function, inside: Handle<GlobalVariable>) {
    for (mut statement, span) in std::mem::take(block).span_into_iter() {
        match &mut statement {
            Statement::Block(block) => veil_in(block, function, inside),
            Statement::If { condition, accept, reject } => {
                veil_in(accept, function, inside);
                veil_in(reject, function, inside);
                *condition = veiled(*condition, block, function, inside, false);
            }
            Statement::Switch { selector, cases } => {
                cases.iter_mut().for_each(|case| veil_in(&mut case.body, function, inside));
                *selector = veiled(*selector, block, function, inside, true);
            }
            Statement::Loop { body, continuing, break_if } => {
                veil_in(body, function, inside);
                veil_in(continuing, function, inside);
                if let Some(condition) = break_if {
                    *condition = veiled(*condition, continuing, function, inside, false);
                }
            }
            _ => {}
        }
        block.push(statement, span);
    }
}

/// Puts into the block what makes the same of a condition, or of a selector, as it was.
fn veiled(
    what: Handle<Expression>,
    block: &mut Block,
    function: &mut Function,
    inside: Handle<GlobalVariable>,
    selects: bool,
) -> Handle<Expression> {
    let mut add = |e| function.expressions.append(e, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(inside));
    let load = add(Expression::Load { pointer });
    let veiled = match selects {
        // Any other value will do where it is never taken.
        true => {
            let other = add(Expression::Unary { op: naga::UnaryOperator::BitwiseNot, expr: what });
            add(Expression::Select { condition: load, accept: what, reject: other })
        }
        false => add(Expression::Binary { op: BinaryOperator::And, left: what, right: load }),
    };
    block.push(Statement::Emit(Range::new_from_bounds(load, veiled)), Span::UNDEFINED);
    veiled
}
