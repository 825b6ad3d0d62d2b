//! Documents of the Management API, brought into the compact shape of the management context, version 2.

mod terms;

use serde_json::{Map, Value};

use crate::{JsonLdError, Problem};
use terms::Shape;

/// The context that every document must name.
pub const CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";
/// Deepest nesting of a document.
pub const DEPTH_MAX: usize = 64;
/// Most values (members and elements) of a document.
pub const VALUES_MAX: usize = 50_000;

/// Brings a document into the one shape that plain structs read:
///
/// - `@context` must contain [`CONTEXT`], and becomes the list of it alone; other contexts in it are ignored;
/// - names become short: `edc:name`, `https://w3id.org/edc/v0.0.1/ns/name` and `odrl:permission` where the term is
///   known, and every name of the connector's namespace among properties and data addresses; other names stay;
/// - `@type` becomes one short name;
/// - `{"@value": x}`, `{"@set": […]}` and `{"@list": […]}` become their content; `{"@id": x}` becomes `x` where a term
///   has one value, and stays among properties and right operands, where it says that the value is a reference;
/// - a term with a list of values has a list, a term with one value has no list of one;
/// - `null` members disappear; JSON literals stay as they are.
///
/// Whether required members are there and of the right type is for the reader of the result to say.
pub fn normalise(document: Value) -> Result<Value, JsonLdError> {
    let Value::Object(mut members) = document else {
        return Err(JsonLdError { pointer: String::new(), problem: Problem::NotAnObject });
    };
    if !has_context(members.get("@context")) {
        return Err(JsonLdError {
            pointer: "/@context".to_owned(),
            problem: Problem::MissingContext(CONTEXT),
        });
    }
    members.remove("@context");
    let mut normal = Normaliser { values: 0, path: Vec::new() }.node(members)?;
    normal.insert("@context".to_owned(), Value::from(vec![CONTEXT]));
    Ok(Value::Object(normal))
}

fn has_context(context: Option<&Value>) -> bool {
    match context {
        Some(Value::String(name)) => name == CONTEXT,
        Some(Value::Array(names)) => names.iter().any(|name| name.as_str() == Some(CONTEXT)),
        _ => false,
    }
}

struct Normaliser {
    values: usize,
    /// Names and indexes from the document to the value at hand.
    path: Vec<String>,
}

impl Normaliser {
    /// An object of the vocabulary.
    fn node(&mut self, members: Map<String, Value>) -> Result<Map<String, Value>, JsonLdError> {
        let mut normal = Map::new();
        let kind = match members.get("@type") {
            None => None,
            Some(kind) => Some(self.at("@type", |this| this.one_type(kind))?),
        };
        for (name, value) in members {
            self.at(&name, |this| {
                let short = terms::term(&name).unwrap_or(&name);
                let value = match name.as_str() {
                    "@context" => return this.counted(),
                    "@type" => kind.clone().map_or(Value::Null, Value::String),
                    keyword if keyword.starts_with('@') => this.literal(value)?,
                    _ => this.shaped(value, terms::shape(short, kind.as_deref()))?,
                };
                this.insert(&mut normal, short, value)
            })?;
        }
        Ok(normal)
    }

    /// An object of properties: every name is one of the connector's namespace.
    fn properties(&mut self, members: Map<String, Value>) -> Result<Map<String, Value>, JsonLdError> {
        let mut normal = Map::new();
        for (name, value) in members {
            self.at(&name, |this| {
                let value = match name.as_str() {
                    "@context" => return this.counted(),
                    "@type" => Value::String(this.one_type(&value)?),
                    keyword if keyword.starts_with('@') => this.literal(value)?,
                    _ => this.property(&name, value)?,
                };
                this.insert(&mut normal, terms::property(&name), value)
            })?;
        }
        Ok(normal)
    }

    fn property(&mut self, name: &str, value: Value) -> Result<Value, JsonLdError> {
        match unwrapped(value) {
            Value::Object(members)
                if terms::is_reference(terms::property(name)) && is_reference(&members) =>
            {
                self.shaped(Value::Object(members), Shape::One)
            }
            Value::Object(members) => self.properties(members).map(Value::Object),
            Value::Array(items) => self.list(items, |this, item| this.property(name, item)),
            scalar => self.counted().map(|()| scalar),
        }
    }

    fn shaped(&mut self, value: Value, shape: Shape) -> Result<Value, JsonLdError> {
        let value = if shape == Shape::Json { json_literal(value) } else { unwrapped(value) };
        match (shape, value) {
            (Shape::Json, value) => self.literal(value),
            (Shape::Properties, Value::Object(members)) => self.properties(members).map(Value::Object),
            (Shape::One, Value::Object(mut members)) if is_reference(&members) => {
                self.counted()?;
                Ok(members.remove("@id").unwrap_or(Value::Null))
            }
            (Shape::One | Shape::Properties, Value::Array(mut items)) if items.len() == 1 => {
                let only = items.pop().unwrap_or(Value::Null);
                self.at("0", |this| this.shaped(only, shape))
            }
            (Shape::Set, Value::Array(items)) => self.list(items, Self::element),
            (Shape::Set, Value::Null) => Ok(Value::Null),
            (Shape::Set, value) => self.element(value).map(|element| Value::Array(vec![element])),
            (Shape::Any, Value::Object(members)) if is_reference(&members) => {
                self.literal(Value::Object(members))
            }
            (_, Value::Object(members)) => self.node(members).map(Value::Object),
            (_, Value::Array(items)) => self.list(items, |this, item| this.shaped(item, Shape::Any)),
            (_, scalar) => self.counted().map(|()| scalar),
        }
    }

    /// An element of a set: an object of the vocabulary that has nothing but an id is one still (a trusted issuer).
    fn element(&mut self, value: Value) -> Result<Value, JsonLdError> {
        match unwrapped(value) {
            Value::Object(members) => self.node(members).map(Value::Object),
            other => self.shaped(other, Shape::Any),
        }
    }

    fn list(
        &mut self,
        items: Vec<Value>,
        mut each: impl FnMut(&mut Self, Value) -> Result<Value, JsonLdError>,
    ) -> Result<Value, JsonLdError> {
        self.counted()?;
        let mut normal = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            normal.push(self.at(&index.to_string(), |this| each(this, item))?);
        }
        Ok(Value::Array(normal))
    }

    /// A value that stays as it is; its size counts all the same.
    fn literal(&mut self, value: Value) -> Result<Value, JsonLdError> {
        self.count_all(&value)?;
        Ok(value)
    }

    fn count_all(&mut self, value: &Value) -> Result<(), JsonLdError> {
        self.counted()?;
        match value {
            Value::Object(members) => {
                members.iter().try_for_each(|(name, member)| self.at(name, |this| this.count_all(member)))
            }
            Value::Array(items) => {
                items.iter().try_for_each(|item| self.at("-", |this| this.count_all(item)))
            }
            _ => Ok(()),
        }
    }

    fn one_type(&self, kind: &Value) -> Result<String, JsonLdError> {
        let name = match kind {
            Value::String(name) => Some(name.as_str()),
            Value::Array(names) if names.len() == 1 => names[0].as_str(),
            _ => None,
        };
        name.map(|name| terms::type_name(name).to_owned()).ok_or_else(|| self.error(Problem::NotOneType))
    }

    fn insert(&self, normal: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), JsonLdError> {
        if value.is_null() {
            return Ok(());
        }
        match normal.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(self.error(Problem::RepeatedTerm(name.to_owned()))),
        }
    }

    /// Runs `read` one step further down the document.
    fn at<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Self) -> Result<T, JsonLdError>,
    ) -> Result<T, JsonLdError> {
        self.path.push(step.to_owned());
        if self.path.len() > DEPTH_MAX {
            return Err(self.error(Problem::TooDeep { max: DEPTH_MAX }));
        }
        let outcome = read(self)?;
        self.path.pop();
        Ok(outcome)
    }

    fn counted(&mut self) -> Result<(), JsonLdError> {
        self.values += 1;
        if self.values > VALUES_MAX { Err(self.error(Problem::TooLarge { max: VALUES_MAX })) } else { Ok(()) }
    }

    fn error(&self, problem: Problem) -> JsonLdError {
        let steps = self.path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
        JsonLdError { pointer: steps.collect(), problem }
    }
}

/// `{"@id": x}` and nothing else.
fn is_reference(members: &Map<String, Value>) -> bool {
    members.len() == 1 && members.get("@id").is_some_and(Value::is_string)
}

/// The content of `{"@value": x}` (a type or language beside it is dropped), `{"@set": […]}` and `{"@list": […]}`.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut members) => {
            let wrapper = ["@value", "@set", "@list"].into_iter().find(|name| members.contains_key(*name));
            match wrapper.and_then(|name| members.remove(name)) {
                Some(content) => content,
                None => Value::Object(members),
            }
        }
        other => other,
    }
}

/// The content of `{"@type": "@json", "@value": x}`; any other object is the literal itself.
fn json_literal(value: Value) -> Value {
    match value {
        Value::Object(mut members) if members.get("@type").and_then(Value::as_str) == Some("@json") => {
            members.remove("@value").unwrap_or(Value::Null)
        }
        other => other,
    }
}
