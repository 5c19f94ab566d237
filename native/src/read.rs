//! A place in the bytes of one record, and the values that are read there.

use pyo3::PyErr;

use crate::program::{Kind, Node};

// 64 bits in groups of seven are ten bytes, and the tenth holds the one bit that is left.
const NUMBER_BYTES_MAX: usize = 10;
const LAST_BYTE_MAX: u8 = 1;
const DECIMAL_BYTES_MAX: usize = 16; // a number of 128 bits

/// What cannot be read or kept, at which byte and which place.
pub struct Broken {
    pub at: usize,
    pub place: String,
    pub fact: String,
}

/// Bytes that are broken, or an error of Python's on the way to its objects.
pub enum Fault {
    Broken(Broken),
    Raised(PyErr),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Fault::Broken(broken)
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Fault::Raised(error)
    }
}

pub enum Value<'a> {
    Null,
    Text(&'a str),
    Symbol(usize),
    Octets(&'a [u8]),
    Long(i64),
    Double(f64),
    Boolean(bool),
    Decimal(String),
    List(Vec<Value<'a>>),
}

pub struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

#[cold]
fn broken<T>(at: usize, node: &Node, fact: impl Into<String>) -> Result<T, Broken> {
    Err(Broken {
        at,
        place: node.place.clone(),
        fact: fact.into(),
    })
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8], at: usize) -> Self {
        Reader { data, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// The bytes between a place and here.
    pub fn since(&self, begin: usize) -> &'a [u8] {
        &self.data[begin..self.at]
    }

    /// Pass over these bytes if they are the next ones.
    pub fn begins_with(&mut self, octets: &[u8]) -> bool {
        let found = self.data[self.at..].starts_with(octets);
        if found {
            self.at += octets.len();
        }
        found
    }

    pub fn finished(&self) -> Result<(), Broken> {
        let left = self.data.len() - self.at;
        if left == 0 {
            return Ok(());
        }
        let fact = format!("is followed by {left} bytes");
        Err(Broken {
            at: self.at,
            place: String::new(),
            fact,
        })
    }

    #[inline]
    fn long(&mut self, node: &Node) -> Result<i64, Broken> {
        let begin = self.at;
        let (mut rest, mut shift) = (0u64, 0u32);
        while let Some(&byte) = self.data.get(self.at) {
            self.at += 1;
            if self.at - begin == NUMBER_BYTES_MAX && byte > LAST_BYTE_MAX {
                return broken(begin, node, "is a number of more than 64 bits");
            }
            rest |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok((rest >> 1) as i64 ^ -((rest & 1) as i64));
            }
            shift += 7;
        }
        broken(begin, node, "is a number that does not end")
    }

    #[inline]
    fn octets(&mut self, node: &Node) -> Result<&'a [u8], Broken> {
        let begin = self.at;
        let size = self.long(node)?;
        if size < 0 {
            return broken(begin, node, format!("has a negative length, {size}"));
        }
        self.taken(begin, size as u64, node)
    }

    #[inline]
    fn taken(&mut self, begin: usize, size: u64, node: &Node) -> Result<&'a [u8], Broken> {
        let left = self.data.len() - self.at;
        if size > left as u64 {
            return broken(
                begin,
                node,
                format!("takes {size} bytes, and {left} are left"),
            );
        }
        let octets = &self.data[self.at..self.at + size as usize];
        self.at += size as usize;
        Ok(octets)
    }

    pub fn is_null(&mut self, node: &Node) -> Result<bool, Broken> {
        let begin = self.at;
        match self.long(node)? {
            0 => Ok(true),
            1 => Ok(false),
            branch => broken(begin, node, format!("has no branch {branch}")),
        }
    }

    pub fn count(&mut self, node: &Node) -> Result<usize, Broken> {
        let begin = self.at;
        let count = self.long(node)?;
        if count < 0 {
            return broken(begin, node, format!("has a negative count, {count}"));
        }
        let left = self.data.len() - self.at;
        if count as u64 > left as u64 {
            return broken(
                begin,
                node,
                format!("has {count} items, and {left} bytes are left"),
            );
        }
        Ok(count as usize)
    }

    pub fn value(&mut self, node: &Node) -> Result<Value<'a>, Broken> {
        let begin = self.at;
        Ok(match &node.kind {
            Kind::Nullable(item) => {
                if self.is_null(node)? {
                    Value::Null
                } else {
                    self.value(item)?
                }
            }
            Kind::Record(parts) => Value::List(
                parts
                    .iter()
                    .map(|part| self.value(part))
                    .collect::<Result<_, _>>()?,
            ),
            Kind::Array(item) => {
                let mut items = Vec::new();
                loop {
                    let count = self.count(node)?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..count {
                        items.push(self.value(item)?);
                    }
                }
                Value::List(items)
            }
            Kind::Text | Kind::Uuid => {
                let octets = self.octets(node)?;
                match std::str::from_utf8(octets) {
                    Ok(text) => Value::Text(text),
                    Err(error) => {
                        let at = self.at - octets.len() + error.valid_up_to();
                        return broken(at, node, "is no UTF-8");
                    }
                }
            }
            Kind::Enum(symbols) => {
                let index = self.long(node)?;
                if index < 0 || index as u64 >= symbols.len() as u64 {
                    let fact = format!("has no symbol {index}, of {}", symbols.len());
                    return broken(begin, node, fact);
                }
                Value::Symbol(index as usize)
            }
            Kind::Octets => Value::Octets(self.octets(node)?),
            Kind::Int | Kind::Date => {
                let number = self.long(node)?;
                if i32::try_from(number).is_err() {
                    return broken(begin, node, "is a number of more than 32 bits");
                }
                Value::Long(number)
            }
            Kind::Long | Kind::Moment => Value::Long(self.long(node)?),
            Kind::Double => {
                let octets = self.taken(begin, 8, node)?;
                Value::Double(f64::from_le_bytes(octets.try_into().expect("eight bytes")))
            }
            Kind::Boolean => match self.taken(begin, 1, node)?[0] {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                byte => return broken(begin, node, format!("is no truth value, {byte}")),
            },
            Kind::Decimal { precision, scale } => {
                match decimal(self.octets(node)?, *precision, *scale) {
                    Some(text) => Value::Decimal(text),
                    None => {
                        return broken(begin, node, format!("has more than {precision} digits"))
                    }
                }
            }
        })
    }

    fn skip(&mut self, node: &Node) -> Result<(), Broken> {
        match &node.kind {
            Kind::Nullable(item) => {
                if !self.is_null(node)? {
                    self.skip(item)?;
                }
            }
            Kind::Record(parts) => {
                for part in parts {
                    self.skip(part)?;
                }
            }
            Kind::Array(item) => loop {
                let count = self.count(node)?;
                if count == 0 {
                    break;
                }
                for _ in 0..count {
                    self.skip(item)?;
                }
            },
            Kind::Text | Kind::Uuid | Kind::Octets | Kind::Decimal { .. } => {
                self.octets(node)?;
            }
            Kind::Double => {
                self.taken(self.at, 8, node)?;
            }
            Kind::Boolean => {
                self.taken(self.at, 1, node)?;
            }
            Kind::Enum(_) | Kind::Int | Kind::Date | Kind::Long | Kind::Moment => {
                self.long(node)?;
            }
        }
        Ok(())
    }

    /// Pass over a node, and let what is asked for in it be read where it begins.
    pub fn walk<E: From<Broken>>(
        &mut self,
        node: &Node,
        found: &mut impl FnMut(&Node, &mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = self.at;
        if !node.slots.is_empty() {
            found(node, self)?;
            if !node.inner {
                return Ok(());
            }
            self.at = begin; // its parts are asked for, too, and are read once more
        }
        if !node.inner {
            return Ok(self.skip(node)?);
        }
        match &node.kind {
            Kind::Nullable(item) => {
                if !self.is_null(node)? {
                    self.walk(item, found)?;
                }
            }
            Kind::Record(parts) => {
                for part in parts {
                    self.walk(part, found)?;
                }
            }
            _ => self.skip(node)?,
        }
        Ok(())
    }
}

/// The text of a decimal, or nothing where it has more digits than its schema.
fn decimal(octets: &[u8], precision: u32, scale: usize) -> Option<String> {
    if octets.len() > DECIMAL_BYTES_MAX {
        return None;
    }
    let negative = octets.first().is_some_and(|first| first & 0x80 != 0);
    let begin = if negative { -1i128 } else { 0 };
    let number = octets
        .iter()
        .fold(begin, |rest, &byte| (rest << 8) | i128::from(byte));
    if number.unsigned_abs() >= 10u128.pow(precision) {
        return None;
    }
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if negative { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{point}{part}"))
}
