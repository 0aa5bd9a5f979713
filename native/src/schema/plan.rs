//! A message declaration, compiled: what `mcnode.codec.schema` says, in the form the engine walks.
use std::collections::HashMap;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};

/// A set of messages closed under reference; the first one is the root.
pub struct Plan {
    pub messages: Vec<MessagePlan>,
}

pub struct MessagePlan {
    pub class: Py<PyType>,
    pub name: String,
    pub digest_name: Vec<u8>,
    pub post_init: bool,
    /// In declaration order, which is the order of digest members.
    pub fields: Vec<FieldPlan>,
    /// (tag, field, alternative) of everything that may come on the wire.
    pub tags: Vec<(u32, usize, usize)>,
    /// Fields in the order in which each encoder writes them.
    pub prost_order: Vec<usize>,
    pub rust_protobuf_order: Vec<usize>,
}

pub struct FieldPlan {
    pub attribute: Py<PyString>,
    pub name: String,
    pub digest_name: Vec<u8>,
    pub tag: u32,
    pub presence: Presence,
    pub repeated: bool,
    pub packed: bool,
    pub lazy: bool,
    pub never_omit: bool,
    pub omit_when: Option<u64>,
    pub body: Body,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Presence {
    Implicit,
    Required,
    Optional,
}

pub enum Body {
    Scalar(Scalar),
    Message(usize),
    Oneof(Oneof),
}

pub struct Oneof {
    /// (tag, message), ascending by tag.
    pub alternatives: Vec<(u32, usize)>,
    /// Name of the enum and of its variants, when the digest shows them.
    pub variants: Option<(Vec<u8>, Vec<Vec<u8>>)>,
}

pub struct Scalar {
    pub wire: Wire,
    pub check: Check,
    pub length: Option<usize>,
    pub default: Vec<u8>,
    pub digest_type: Vec<u8>,
    pub digest_struct: Option<Vec<u8>>,
    pub struct_never_omit: bool,
    pub length_error: String,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Wire {
    Varint32,
    Varint64,
    Bool,
    Fixed64,
    Bytes,
    Text,
    Wrapper,
    TextWrapper,
}

impl Wire {
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            Wire::Varint32 | Wire::Varint64 | Wire::Bool | Wire::Fixed64
        )
    }

    pub fn is_text(self) -> bool {
        matches!(self, Wire::Text | Wire::TextWrapper)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub enum Check {
    None,
    ScalarReduced,
    ScalarCanonical,
    RistrettoPoint,
    EdwardsPoint,
}

impl Plan {
    /// Compile `specs`, a list of `MessageSpec` that holds everything it refers to.
    pub fn compile(specs: &[Bound<'_, PyAny>]) -> PyResult<Plan> {
        let mut index = HashMap::new();
        for (position, spec) in specs.iter().enumerate() {
            let name: String = spec.getattr("cls")?.getattr("__name__")?.extract()?;
            index.insert(name, position);
        }
        let messages = specs
            .iter()
            .map(|spec| compile_message(spec, &index))
            .collect::<PyResult<_>>()?;
        Ok(Plan { messages })
    }
}

fn compile_message(
    spec: &Bound<'_, PyAny>,
    index: &HashMap<String, usize>,
) -> PyResult<MessagePlan> {
    let class = spec.getattr("cls")?.cast_into::<PyType>()?;
    let mut fields = Vec::new();
    for item in spec.getattr("fields")?.call_method0("items")?.try_iter()? {
        let (attribute, field): (Bound<'_, PyString>, Bound<'_, PyAny>) = item?.extract()?;
        fields.push(compile_field(attribute, &field, index)?);
    }
    let tags = tags_of(&fields)?;
    let mut prost_order: Vec<usize> = (0..fields.len()).collect();
    prost_order.sort_by_key(|&field| fields[field].tag);
    let special: Option<Vec<u32>> = spec.getattr("rust_protobuf_order")?.extract()?;
    let place = |field: &FieldPlan| {
        let listed = special
            .as_ref()
            .and_then(|order| order.iter().position(|&tag| tag == field.tag));
        (
            matches!(field.body, Body::Oneof(_)),
            listed.unwrap_or(field.tag as usize),
        )
    };
    let mut rust_protobuf_order = prost_order.clone();
    rust_protobuf_order.sort_by_key(|&field| place(&fields[field]));
    Ok(MessagePlan {
        name: class.name()?.extract()?,
        digest_name: spec
            .getattr("digest_name")?
            .extract::<String>()?
            .into_bytes(),
        post_init: class.hasattr("__post_init__")?,
        class: class.unbind(),
        fields,
        tags,
        prost_order,
        rust_protobuf_order,
    })
}

fn tags_of(fields: &[FieldPlan]) -> PyResult<Vec<(u32, usize, usize)>> {
    let mut tags: Vec<(u32, usize, usize)> = Vec::new();
    for (position, field) in fields.iter().enumerate() {
        let own: Vec<u32> = match &field.body {
            Body::Oneof(oneof) => oneof.alternatives.iter().map(|&(tag, _)| tag).collect(),
            _ => vec![field.tag],
        };
        for (alternative, tag) in own.into_iter().enumerate() {
            if tag == 0 || tags.iter().any(|&(other, _, _)| other == tag) {
                return Err(PyTypeError::new_err(format!(
                    "tag {tag} is 0 or used twice"
                )));
            }
            tags.push((tag, position, alternative));
        }
    }
    Ok(tags)
}

fn compile_field(
    attribute: Bound<'_, PyString>,
    spec: &Bound<'_, PyAny>,
    index: &HashMap<String, usize>,
) -> PyResult<FieldPlan> {
    let plain: String = attribute.extract()?;
    let name: Option<String> = spec.getattr("name")?.extract()?;
    let name = name.unwrap_or(plain);
    let digest: Option<String> = spec.getattr("digest")?.extract()?;
    let presence = match text(&spec.getattr("presence")?, "value")?.as_str() {
        "implicit" => Presence::Implicit,
        "required" => Presence::Required,
        _ => Presence::Optional,
    };
    let body = compile_body(spec, index)?;
    let lazy: bool = spec.getattr("lazy")?.extract()?;
    if lazy && !matches!(body, Body::Message(_)) {
        return Err(PyTypeError::new_err("only a list of messages can be lazy"));
    }
    Ok(FieldPlan {
        digest_name: digest.unwrap_or_else(|| name.clone()).into_bytes(),
        attribute: attribute.unbind(),
        name,
        tag: spec.getattr("tag")?.extract()?,
        presence,
        repeated: spec.getattr("repeated")?.extract()?,
        packed: spec.getattr("packed")?.extract()?,
        lazy,
        never_omit: spec.getattr("never_omit")?.extract()?,
        omit_when: spec.getattr("omit_when")?.extract()?,
        body,
    })
}

fn compile_body(spec: &Bound<'_, PyAny>, index: &HashMap<String, usize>) -> PyResult<Body> {
    let alternatives: Vec<(u32, Bound<'_, PyAny>)> = spec.getattr("alternatives")?.extract()?;
    if !alternatives.is_empty() {
        let variants: Option<(String, Vec<String>)> = spec.getattr("digest_enum")?.extract()?;
        return Ok(Body::Oneof(Oneof {
            alternatives: alternatives
                .iter()
                .map(|(tag, reference)| Ok((*tag, resolve(reference, index)?)))
                .collect::<PyResult<_>>()?,
            variants: variants.map(|(name, each)| {
                let each = each.into_iter().map(String::into_bytes).collect();
                (name.into_bytes(), each)
            }),
        }));
    }
    let kind = spec.getattr("kind")?;
    if kind.is_instance_of::<PyString>() || kind.is_instance_of::<PyType>() {
        return Ok(Body::Message(resolve(&kind, index)?));
    }
    Ok(Body::Scalar(compile_scalar(&kind)?))
}

fn resolve(reference: &Bound<'_, PyAny>, index: &HashMap<String, usize>) -> PyResult<usize> {
    let name: String = match reference.cast::<PyString>() {
        Ok(name) => name.extract()?,
        Err(_) => text(reference, "__name__")?,
    };
    index
        .get(&name)
        .copied()
        .ok_or_else(|| PyTypeError::new_err(format!("{name} is not a declared message")))
}

/// Compile a `Kind`.
pub fn compile_scalar(kind: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    let wire = match text(&kind.getattr("wire")?, "value")?.as_str() {
        "varint32" => Wire::Varint32,
        "varint64" => Wire::Varint64,
        "bool" => Wire::Bool,
        "fixed64" => Wire::Fixed64,
        "bytes" => Wire::Bytes,
        "text" => Wire::Text,
        "wrapper" => Wire::Wrapper,
        _ => Wire::TextWrapper,
    };
    let check = match text(&kind.getattr("check")?, "value")?.as_str() {
        "none" => Check::None,
        "scalar_reduced" => Check::ScalarReduced,
        "scalar_canonical" => Check::ScalarCanonical,
        "ristretto_point" => Check::RistrettoPoint,
        _ => Check::EdwardsPoint,
    };
    let digest_struct: Option<String> = kind.getattr("digest_struct")?.extract()?;
    Ok(Scalar {
        wire,
        check,
        length: kind.getattr("length")?.extract()?,
        default: kind
            .getattr("default")?
            .cast::<PyBytes>()?
            .as_bytes()
            .to_vec(),
        digest_type: text(kind, "digest_type")?.into_bytes(),
        digest_struct: digest_struct.map(String::into_bytes),
        struct_never_omit: kind.getattr("struct_never_omit")?.extract()?,
        length_error: text(kind, "length_error")?,
    })
}

fn text(object: &Bound<'_, PyAny>, attribute: &str) -> PyResult<String> {
    object.getattr(attribute)?.extract()
}
