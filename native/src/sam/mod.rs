//! Alignments: goes over the records that are certainly clean, and stops before every other one.
//!
//! What is wrong with a record is for `processors/validation/sam/` to find and to say.

mod binary;
mod counts;
mod mates;
mod depth;
mod order;
mod record;
mod tags;
mod text;

use std::collections::HashMap;

use pyo3::prelude::*;

use counts::{Counts, Letters};
use mates::Line;
use depth::{Covered, Depth, Placed};
use order::Order;
use record::{References, View, NOTES, RECORD_BYTES_MAX};
use tags::Groups;

type Names = HashMap<Vec<u8>, i64>;
type RawCounts = (Vec<u64>, Vec<Vec<u64>>, Vec<u64>, Vec<u64>);

const FIXED: usize = 32;
const MATES_AT: u32 = 5; // the first bit of what mates say, behind those of orders
const MATE_NOTES_AT: u32 = 8; // the same among the notes

/// The state of one pass over one file.
#[pyclass]
pub struct AlignmentScan {
    names: Names,
    references: References,
    groups: Groups,
    order: Order,
    counts: Counts,
    depth: Depth,
    view: View,
    notes: [u64; NOTES],
}

#[pymethods]
impl AlignmentScan {
    #[new]
    fn new(
        names: Vec<Vec<u8>>,
        lengths: Vec<i64>,
        circular: Vec<usize>,
        groups: Vec<Vec<u8>>,
        programs: Vec<Vec<u8>>,
        declared: (bool, u32, u32),
    ) -> Self {
        let mut is_circular = vec![false; lengths.len()];
        for at in circular {
            is_circular[at] = true;
        }
        let (by_coordinate, by_name, by_group) = declared;
        let depth = Depth::new(lengths.clone());
        Self {
            names: (0..).zip(names).map(|(at, name)| (name, at)).collect(),
            references: References {
                lengths,
                circular: is_circular,
            },
            groups: Groups {
                groups: groups.into_iter().collect(),
                programs: programs.into_iter().collect(),
            },
            order: Order::new(by_coordinate, by_name, by_group),
            counts: Counts::new(),
            depth,
            view: View::default(),
            notes: [0; NOTES],
        }
    }

    /// Which of the declared orders a record breaks that Python has read, or what its mate says.
    fn next(
        &mut self,
        name: &[u8],
        flag: u32,
        place: (i64, i64),
        next_place: (i64, i64),
        length: i64,
    ) -> u32 {
        let line = Line {
            flag,
            reference: place.0,
            pos: place.1,
            next_reference: next_place.0,
            next_pos: next_place.1,
            length,
        };
        let pending = self.order.pending.take();
        pending.unwrap_or_else(|| self.order.next(line, name))
    }

    /// At which notes not to stop; they are counted.
    fn tolerate(&mut self, notes: u32) {
        self.view.tolerated = notes;
    }

    /// Over lines from a place on: where the first stands that is in doubt, and how many before it.
    fn text(&mut self, py: Python<'_>, data: &[u8], at: usize) -> (usize, u64) {
        py.detach(|| {
            let (mut at, mut records) = (at, 0);
            while at < data.len() {
                let rest = &data[at..];
                let size = rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len());
                self.view.noted = 0;
                let read = text::read(
                    &rest[..size],
                    &mut self.view,
                    &self.names,
                    &self.references,
                    &self.groups,
                );
                let Some(line) = read else { break };
                if !self.is_in_order(line.name) {
                    break;
                }
                self.take(line.name, &line.letters);
                at += size + 1;
                records += 1;
            }
            (at.min(data.len()), records)
        })
    }

    /// The same over records of BAM; one of which the end is missing is not reached.
    fn binary(&mut self, py: Python<'_>, data: &[u8], at: usize) -> (usize, u64) {
        py.detach(|| {
            let (mut at, mut records) = (at, 0);
            while let Some((head, rest)) = data[at..].split_at_checked(4) {
                let size = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
                if !(FIXED..=RECORD_BYTES_MAX).contains(&size) || size > rest.len() {
                    break;
                }
                self.view.noted = 0;
                let read = binary::read(
                    &rest[..size],
                    &mut self.view,
                    &self.references,
                    &self.groups,
                );
                let Some(body) = read else { break };
                if !self.is_in_order(body.name) {
                    break;
                }
                self.take(body.name, &body.letters);
                at += 4 + size;
                records += 1;
            }
            (at, records)
        })
    }

    /// Of one sequence its targets, without their overlaps, and the places at which they begin or end.
    fn aim(&mut self, reference: usize, union: Vec<(i64, i64)>, places: Vec<i64>) {
        self.depth.aim(reference, union, places);
    }

    /// Count a record towards the depth that Python has read; its place is counted from 0.
    fn cover(
        &mut self,
        flag: u32,
        place: (i64, i64),
        next_place: (i64, i64),
        name: &[u8],
        cigar: Vec<u32>,
    ) {
        self.depth.cover(&Placed {
            flag,
            reference: place.0,
            start: place.1,
            next_reference: next_place.0,
            next_start: next_place.1,
            name,
            cigar: &cigar,
        });
    }

    /// The depth, as `coverage.py` takes it.
    fn covered(&mut self) -> Covered {
        self.depth.covered()
    }

    /// What was counted, as `totals.py` takes it.
    fn counts(&self) -> RawCounts {
        let kept = &self.counts;
        (
            kept.counts.to_vec(),
            kept.inserts.to_vec(),
            kept.mapq.clone(),
            self.notes.to_vec(),
        )
    }
}

impl AlignmentScan {
    fn take(&mut self, name: &[u8], letters: &Letters) {
        let view = &self.view;
        self.depth.cover(&Placed {
            flag: view.flag,
            reference: view.reference,
            start: view.pos - 1,
            next_reference: view.next_reference,
            next_start: view.next_pos - 1,
            name,
            cigar: &view.cigar,
        });
        for (bit, count) in self.notes.iter_mut().enumerate() {
            *count += u64::from(self.view.noted >> bit & 1);
        }
        self.counts.take(&self.view, letters);
    }

    fn is_in_order(&mut self, name: &[u8]) -> bool {
        let found = self.order.next(Line::from(&self.view), name);
        // What mates say is noted like the rest: once enough of it is kept, it is only counted.
        let mates = found >> MATES_AT << MATE_NOTES_AT;
        self.view.noted |= mates & self.view.tolerated;
        let left = (mates & !self.view.tolerated) >> MATE_NOTES_AT << MATES_AT;
        let broken = found & ((1 << MATES_AT) - 1) | left;
        if broken != 0 {
            self.order.pending = Some(found);
        }
        broken == 0
    }
}
