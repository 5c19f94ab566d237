//! The two reads of a pair that stand one behind the other: the twin of `mates.py`.

use super::record::View;

const MATE_PLACE: u32 = 32;
const MATE_FLAGS: u32 = 64;
const MATE_LENGTH: u32 = 128;
const PAIRED: u32 = 0x1;
const UNMAPPED: u32 = 0x4;
const MATE_UNMAPPED: u32 = 0x8;
const REVERSE: u32 = 0x10;
const MATE_REVERSE: u32 = 0x20;
const ENDS: u32 = 0xC0;
const NOT_PRIMARY: u32 = 0x900;

/// What mates say of each other; their name is kept beside it.
#[derive(Clone, Copy, Default)]
pub struct Line {
    pub flag: u32,
    pub reference: i64,
    pub pos: i64,
    pub next_reference: i64,
    pub next_pos: i64,
    pub length: i64,
}

impl From<&View> for Line {
    fn from(view: &View) -> Self {
        Self {
            flag: view.flag,
            reference: view.reference,
            pos: view.pos,
            next_reference: view.next_reference,
            next_pos: view.next_pos,
            length: view.length,
        }
    }
}

#[derive(Default)]
pub struct Mates {
    line: Line,
    name: Vec<u8>, // empty: none is held
}

impl Mates {
    pub fn next(&mut self, line: Line, name: &[u8]) -> u32 {
        if line.flag & NOT_PRIMARY != 0 {
            return 0;
        }
        let before = std::mem::replace(&mut self.line, line);
        if self.name != name {
            self.name.clear();
            self.name.extend_from_slice(name);
            return 0;
        }
        let are_ends = before.flag & ENDS != 0
            && line.flag & ENDS != 0
            && before.flag & ENDS != ENDS
            && (before.flag ^ line.flag) & ENDS == ENDS;
        if name == b"*" || before.flag & line.flag & PAIRED == 0 || !are_ends {
            return 0;
        }
        let mut broken = said(&before, &line) | said(&line, &before);
        let is_placed =
            (before.flag | line.flag) & UNMAPPED == 0 && before.reference == line.reference;
        if is_placed && before.length != 0 && line.length != 0 && before.length != -line.length {
            broken |= MATE_LENGTH;
        }
        broken
    }
}

fn said(one: &Line, mate: &Line) -> u32 {
    let mut broken = 0;
    let knows = one.next_reference >= 0 && one.next_pos > 0;
    let is_there = one.next_reference == mate.reference && one.next_pos == mate.pos;
    if knows && mate.reference >= -1 && !is_there {
        broken |= MATE_PLACE;
    }
    if (one.flag & MATE_UNMAPPED != 0) != (mate.flag & UNMAPPED != 0) {
        return broken | MATE_FLAGS;
    }
    let is_turned = (one.flag & MATE_REVERSE != 0) != (mate.flag & REVERSE != 0);
    if knows && mate.flag & UNMAPPED == 0 && is_turned {
        broken |= MATE_FLAGS;
    }
    broken
}
