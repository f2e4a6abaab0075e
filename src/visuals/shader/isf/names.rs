//! Words of GLSL that mean something else where they are going, as tables. Pure.

/// What has another name after the translation. Pictures are whole numbers there.
pub const RENAMED: [(&str, &str); 13] = [
    ("gl_FragColor", "xiao_colour"),
    ("gl_FragCoord", "xiao_frag"),
    ("sampler2D", "int"),
    ("sampler2DRect", "int"),
    ("texture", "xiao_texture"),
    ("texture2D", "xiao_texture"),
    ("texture2DLod", "xiao_texture"),
    ("texture2DLodEXT", "xiao_texture"),
    ("textureLod", "xiao_texture"),
    ("texture2DRect", "xiao_texture_rect"),
    ("textureRect", "xiao_texture_rect"),
    ("textureSize", "xiao_texture_size"),
    ("texelFetch", "xiao_fetch"),
];

/// Words that GLSL 4.50 or naga keep for themselves and that are plain names in 1.20.
pub const RESERVED: [&str; 32] = [
    "active",
    "buffer",
    "centroid",
    "coherent",
    "common",
    "double",
    "external",
    "filter",
    "fixed",
    "half",
    "image",
    "image2D",
    "input",
    "interface",
    "long",
    "noise",
    "output",
    "partition",
    "patch",
    "precise",
    "readonly",
    "resource",
    "restrict",
    "sample",
    "sampler",
    "shared",
    "short",
    "subroutine",
    "superp",
    "unsigned",
    "volatile",
    "writeonly",
];

/// Functions that came after 1.20, which people therefore define themselves.
pub const NEWER: [&str; 26] = [
    "acosh",
    "asinh",
    "atanh",
    "bitCount",
    "cosh",
    "determinant",
    "dFdx",
    "dFdy",
    "findLSB",
    "findMSB",
    "fma",
    "frexp",
    "fwidth",
    "inverse",
    "isinf",
    "isnan",
    "ldexp",
    "modf",
    "outerProduct",
    "round",
    "roundEven",
    "saturate",
    "sinh",
    "tanh",
    "transpose",
    "trunc",
];

/// What may stand before a declaration at the outermost level.
pub const QUALIFIERS: [&str; 9] =
    ["uniform", "varying", "attribute", "in", "out", "const", "flat", "smooth", "noperspective"];

/// Types, whose constructors the compiler can compute, and the other words that it knows the values of.
pub const TYPES: [&str; 25] = [
    "float", "int", "uint", "bool", "vec2", "vec3", "vec4", "ivec2", "ivec3", "ivec4", "uvec2", "uvec3", "uvec4",
    "bvec2", "bvec3", "bvec4", "mat2", "mat3", "mat4", "mat2x2", "mat3x3", "mat4x4", "true", "false", "void",
];
