//! Rows of COPY's binary format, without an object of Python's.

use std::fmt::Write;

use crate::program::{Copy, Kind, Node, Program};
use crate::read::{Broken, Reader, Value};

// Avro counts microseconds from 1970, Postgres from 2000.
const DAY: i64 = 86_400 * 1_000_000;
const POSTGRES_EPOCH: i64 = 10_957 * DAY;
// The years 1 to 9999, in days: those of a datetime, and Postgres has them all.
const DAY_MIN: i64 = -719_162;
const DAY_END: i64 = 2_932_897;
const NOT_OUR_YEARS: &str = "is outside of the years 1 to 9999";
const JSONB_VERSION: u8 = 1;
const NULL: [u8; 4] = [0xFF; 4];

/// The rows of one program, as they grow.
#[derive(Default)]
pub struct Body {
    pub records: Vec<usize>,
    pub octets: Vec<u8>,
    /// Where each field of the row stands in `fields`, and the fields in the order of the event.
    places: Vec<Option<(usize, usize)>>,
    fields: Vec<u8>,
}

impl Body {
    pub fn add(
        &mut self,
        program: &Program,
        record: usize,
        (head_fields, head): (u16, &[u8]),
        reader: &mut Reader<'_>,
    ) -> Result<(), Broken> {
        let (places, fields) = (&mut self.places, &mut self.fields);
        places.clear();
        places.resize(program.columns, None);
        fields.clear();
        reader.walk(&program.root, &mut |node, reader| -> Result<(), Broken> {
            let begin = reader.at();
            let value = reader.value(node)?;
            for &slot in &node.slots {
                if !matches!(value, Value::Null) {
                    let from = fields.len();
                    field(program.copies[slot], node, begin, &value, fields)?;
                    places[slot] = Some((from, fields.len()));
                }
            }
            Ok(())
        })?;
        reader.finished()?;
        let count = head_fields + program.columns as u16;
        self.octets.extend(count.to_be_bytes());
        self.octets.extend(head);
        for place in places {
            match *place {
                None => self.octets.extend(NULL),
                Some((from, to)) => {
                    self.octets.extend(((to - from) as u32).to_be_bytes());
                    self.octets.extend(&fields[from..to]);
                }
            }
        }
        self.records.push(record);
        Ok(())
    }
}

#[cold]
fn broken<T>(at: usize, node: &Node, fact: &str) -> Result<T, Broken> {
    Err(Broken {
        at,
        place: node.place.clone(),
        fact: fact.to_owned(),
    })
}

fn symbol(node: &Node, index: usize) -> &str {
    match &node.kind {
        Kind::Enum(symbols) => &symbols[index],
        Kind::Nullable(item) => symbol(item, index),
        _ => unreachable!("only enums have symbols"),
    }
}

fn parts_of(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::Record(parts) => parts,
        Kind::Nullable(item) => parts_of(item),
        _ => unreachable!("only records have fields"),
    }
}

fn field(
    copy: Copy,
    node: &Node,
    begin: usize,
    value: &Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    match (copy, value) {
        (Copy::Text, Value::Text(text)) => {
            out.extend(without_nul(node, begin, text)?.as_bytes());
        }
        (Copy::Text, Value::Symbol(index)) => out.extend(symbol(node, *index).as_bytes()),
        (Copy::Bigint, Value::Long(number)) => out.extend(number.to_be_bytes()),
        (Copy::Int, Value::Long(number)) => match i32::try_from(*number) {
            Ok(number) => out.extend(number.to_be_bytes()),
            Err(_) => return broken(begin, node, "is a number of more than 32 bits"),
        },
        (Copy::Double, Value::Double(number)) => out.extend(number.to_be_bytes()),
        (Copy::Boolean, Value::Boolean(truth)) => out.push(u8::from(*truth)),
        (Copy::Timestamptz, Value::Long(moment)) => {
            if !(DAY_MIN * DAY..DAY_END * DAY).contains(moment) {
                return broken(begin, node, NOT_OUR_YEARS);
            }
            out.extend((moment - POSTGRES_EPOCH).to_be_bytes());
        }
        (Copy::Uuid, Value::Text(text)) => match id(text.as_bytes()) {
            Some(octets) => out.extend(octets),
            None => return broken(begin, node, "is no id"),
        },
        (Copy::Jsonb, _) => {
            out.push(JSONB_VERSION);
            json(node, begin, value, out)?;
        }
        (Copy::JsonbRest, Value::List(values)) => {
            out.push(JSONB_VERSION);
            object(&parts_of(node)[1..], begin, &values[1..], out)?;
        }
        _ => unreachable!("the program holds types that fit their kinds"),
    }
    Ok(())
}

fn without_nul<'t>(node: &Node, begin: usize, text: &'t str) -> Result<&'t str, Broken> {
    if text.as_bytes().contains(&0) {
        return broken(begin, node, "holds U+0000, which Postgres cannot keep");
    }
    Ok(text)
}

/// The bytes of an id out of its text.
pub fn id(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut octets = [0; 16];
    let mut digits = 0;
    for (at, &byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = (byte as char).to_digit(16)? as u8;
        octets[digits / 2] = octets[digits / 2] << 4 | digit;
        digits += 1;
    }
    Some(octets)
}

fn json(node: &Node, begin: usize, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
    if matches!(value, Value::Null) {
        out.extend(b"null");
        return Ok(());
    }
    match (&node.kind, value) {
        (Kind::Nullable(item), _) => return json(item, begin, value, out),
        (Kind::Record(parts), Value::List(values)) => object(parts, begin, values, out)?,
        (Kind::Array(item), Value::List(values)) => {
            out.push(b'[');
            for (index, one) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                json(item, begin, one, out)?;
            }
            out.push(b']');
        }
        (Kind::Moment, Value::Long(moment)) => moment_text(node, begin, *moment, out)?,
        (Kind::Date, Value::Long(days)) => {
            out.push(b'"');
            day_text(node, begin, *days, out)?;
            out.push(b'"');
        }
        (Kind::Uuid, Value::Text(text)) => {
            if id(text.as_bytes()).is_none() || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return broken(begin, node, "is no id in small letters");
            }
            quoted(text, out);
        }
        (_, Value::Text(text)) => quoted(without_nul(node, begin, text)?, out),
        (_, Value::Symbol(index)) => quoted(symbol(node, *index), out),
        (_, Value::Decimal(text)) => quoted(text, out),
        (_, Value::Long(number)) => {
            if *number < 0 {
                out.push(b'-');
            }
            digits(number.unsigned_abs(), 1, out);
        }
        (_, Value::Boolean(truth)) => out.extend(if *truth { &b"true"[..] } else { b"false" }),
        (_, Value::Octets(octets)) => base64(octets, out),
        (_, Value::Double(number)) => {
            if !number.is_finite() {
                return broken(begin, node, "is not finite, and JSON has no such number");
            }
            double(*number, out);
        }
        _ => unreachable!("a value is of the kind of its node"),
    }
    Ok(())
}

fn object(
    parts: &[Node],
    begin: usize,
    values: &[Value<'_>],
    out: &mut Vec<u8>,
) -> Result<(), Broken> {
    out.push(b'{');
    for (index, (part, one)) in parts.iter().zip(values).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        quoted(&part.name, out);
        out.push(b':');
        json(part, begin, one, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    use std::io::Write;
    out.write_fmt(text).expect("memory takes every byte");
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|&byte| matches!(byte, 0..=0x1F | b'"' | b'\\'))
    {
        out.extend(&rest[..at]);
        match rest[at] {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x08 => out.extend(b"\\b"),
            0x0C => out.extend(b"\\f"),
            byte => put(out, format_args!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.extend(rest);
    out.push(b'"');
}

/// A number that is not negative, with at least so many digits.
fn digits(mut number: u64, least: usize, out: &mut Vec<u8>) {
    let mut made = [b'0'; 20]; // 2^64 has twenty
    let mut begin = made.len();
    while number > 0 {
        begin -= 1;
        made[begin] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend(&made[begin.min(made.len() - least)..]);
}

/// The shortest digits that mean this number, set as Python sets them.
fn double(number: f64, out: &mut Vec<u8>) {
    let mut text = String::new();
    write!(text, "{number:e}").expect("a text takes every digit");
    let (digits, exponent) = text.split_once('e').expect("made with an exponent");
    let exponent: i32 = exponent.parse().expect("made of digits");
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        let point = if plain.contains('.') { "" } else { ".0" };
        put(out, format_args!("{plain}{point}"));
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        put(out, format_args!("{digits}e{sign}{:02}", exponent.abs()));
    }
}

fn moment_text(node: &Node, begin: usize, moment: i64, out: &mut Vec<u8>) -> Result<(), Broken> {
    let micros = moment.rem_euclid(DAY);
    out.push(b'"');
    day_text(node, begin, moment.div_euclid(DAY), out)?;
    let seconds = micros / 1_000_000;
    for (mark, part) in [
        (b'T', seconds / 3_600),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        out.push(mark);
        digits(part as u64, 2, out);
    }
    if micros % 1_000_000 != 0 {
        out.push(b'.');
        digits((micros % 1_000_000) as u64, 6, out);
    }
    out.extend(b"Z\"");
    Ok(())
}

/// The day in the calendar that everybody uses now, by eras of 400 years that begin in March.
fn day_text(node: &Node, begin: usize, days: i64, out: &mut Vec<u8>) -> Result<(), Broken> {
    if !(DAY_MIN..DAY_END).contains(&days) {
        return broken(begin, node, NOT_OUR_YEARS);
    }
    let from_march = days + 719_468; // days since 1 March of the year 0
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    digits(year as u64, 4, out);
    for part in [month, day] {
        out.push(b'-');
        digits(part as u64, 2, out);
    }
    Ok(())
}

fn base64(octets: &[u8], out: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    out.push(b'"');
    for chunk in octets.chunks(3) {
        let bytes = [
            chunk[0],
            *chunk.get(1).unwrap_or(&0),
            *chunk.get(2).unwrap_or(&0),
        ];
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        for place in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * place) & 63];
            out.push(if place <= chunk.len() { letter } else { b'=' });
        }
    }
    out.push(b'"');
}
