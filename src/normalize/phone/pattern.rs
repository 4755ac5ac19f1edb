//! Matching of the digit patterns in libphonenumber's metadata, small and without allocation per number.
//!
//! The `phonenumber` crate compiles these patterns with a general regex engine behind one lock and a cache of a hundred:
//! numbers of many countries evict each other and every match compiles anew. The patterns use very little of that
//! language (digits, classes, groups, alternatives, counted repeats), so they are compiled here once to a short program.
//! A test holds this engine against the crate's own on every pattern of the metadata.

/// One step of the program. Split tries the next step first, which gives the priorities of a regex.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Any of the digits whose bit is set.
    Digit(u16),
    /// Go on here; if that fails, there.
    Split(u32),
    /// Go there.
    Jump(u32),
    /// Remember where the text is: slot 0/1 = begin and end of the first group, 2/3 of the second.
    Save(u8),
    /// Only at the end of the text.
    End,
    /// Found.
    Found,
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    steps: Box<[Step]>,
    groups: u8,
}

/// Where a match ended, and what its first two groups took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Length of the match.
    pub(super) end: usize,
    /// Begin and end of the groups that took part.
    pub(super) groups: [Option<(usize, usize)>; 2],
}

const NONE: u8 = u8::MAX;

#[derive(Clone, Copy)]
struct Thread {
    step: u32,
    at: u8,
    slots: [u8; 4],
}

impl Pattern {
    /// Compiles a pattern; none when it uses something that the metadata does not use today.
    pub(super) fn new(source: &str) -> Option<Self> {
        let bytes: Vec<u8> = source.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let mut compiler = Compiler {
            source: &bytes,
            at: 0,
            steps: Vec::new(),
            groups: 0,
        };
        compiler.alternatives()?;
        if compiler.at != bytes.len() {
            return None;
        }
        compiler.steps.push(Step::Found);
        Some(Self {
            steps: compiler.steps.into_boxed_slice(),
            groups: compiler.groups,
        })
    }

    /// How many capturing groups it has.
    pub(super) fn groups(&self) -> u8 {
        self.groups
    }

    /// Does it match the whole of these digits?
    pub(super) fn matches(&self, digits: &str) -> bool {
        self.run(digits, true).is_some()
    }

    /// What it takes from the beginning of these digits.
    pub(super) fn prefix(&self, digits: &str) -> Option<Found> {
        self.run(digits, false)
    }

    fn run(&self, digits: &str, whole: bool) -> Option<Found> {
        let text = digits.as_bytes();
        if text.len() >= usize::from(NONE) {
            return None;
        }
        let mut waiting: Vec<Thread> = Vec::with_capacity(16);
        waiting.push(Thread {
            step: 0,
            at: 0,
            slots: [NONE; 4],
        });
        while let Some(mut thread) = waiting.pop() {
            loop {
                let at = usize::from(thread.at);
                match *self.steps.get(thread.step as usize)? {
                    Step::Digit(set) => match text.get(at) {
                        Some(byte) if byte.is_ascii_digit() && set & (1 << (byte - b'0')) != 0 => thread.at += 1,
                        _ => break,
                    },
                    Step::Split(other) => waiting.push(Thread { step: other, ..thread }),
                    Step::Jump(to) => {
                        thread.step = to;
                        continue;
                    }
                    Step::Save(slot) => {
                        if let Some(place) = thread.slots.get_mut(usize::from(slot)) {
                            *place = thread.at;
                        }
                    }
                    Step::End if at != text.len() => break,
                    Step::End => {}
                    Step::Found if whole && at != text.len() => break,
                    Step::Found => return Some(thread.found()),
                }
                thread.step += 1;
            }
        }
        None
    }
}

impl Thread {
    fn found(self) -> Found {
        let [a, b, c, d] = self.slots;
        let group = |from: u8, to: u8| (from != NONE && to != NONE).then_some((usize::from(from), usize::from(to)));
        Found {
            end: usize::from(self.at),
            groups: [group(a, b), group(c, d)],
        }
    }
}

struct Compiler<'a> {
    source: &'a [u8],
    at: usize,
    steps: Vec<Step>,
    groups: u8,
}

impl Compiler<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn alternatives(&mut self) -> Option<()> {
        let mut exits = Vec::new();
        loop {
            let start = self.steps.len();
            self.sequence()?;
            if !self.take(b'|') {
                break;
            }
            self.insert(start, Step::Split(0));
            exits.push(self.steps.len());
            self.steps.push(Step::Jump(0));
            let next = self.here();
            *self.steps.get_mut(start)? = Step::Split(next);
        }
        let end = self.here();
        for exit in exits {
            *self.steps.get_mut(exit)? = Step::Jump(end);
        }
        Some(())
    }

    fn sequence(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            if byte == b'|' || byte == b')' {
                break;
            }
            let start = self.steps.len();
            self.atom()?;
            self.repeat(start)?;
        }
        Some(())
    }

    fn atom(&mut self) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'0'..=b'9' => self.steps.push(Step::Digit(1 << (byte - b'0'))),
            b'\\' if self.take(b'd') => self.steps.push(Step::Digit(0x3ff)),
            b'[' => {
                let set = self.class()?;
                self.steps.push(Step::Digit(set));
            }
            b'$' => self.steps.push(Step::End),
            b'(' => {
                let captured = if self.take(b'?') {
                    if !self.take(b':') {
                        return None;
                    }
                    None
                } else {
                    self.groups += 1;
                    Some((self.groups - 1) * 2)
                };
                if let Some(slot) = captured {
                    self.steps.push(Step::Save(slot));
                }
                self.alternatives()?;
                if !self.take(b')') {
                    return None;
                }
                if let Some(slot) = captured {
                    self.steps.push(Step::Save(slot + 1));
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn class(&mut self) -> Option<u16> {
        let mut set = 0;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b']' => return Some(set),
                b'0'..=b'9' => {
                    let mut last = byte;
                    if self.take(b'-') {
                        last = self.peek().filter(u8::is_ascii_digit)?;
                        self.at += 1;
                    }
                    for digit in byte..=last {
                        set |= 1 << (digit - b'0');
                    }
                }
                b'\\' if self.take(b'd') => set = 0x3ff,
                _ => return None,
            }
        }
    }

    /// `?`, `{n}` and `{n,m}` after the steps from `start` on: written out, the optional ones behind a split each.
    fn repeat(&mut self, start: usize) -> Option<()> {
        let (least, most) = if self.take(b'?') {
            (0, 1)
        } else if self.take(b'{') {
            let least = self.number()?;
            let most = if self.take(b',') { self.number()? } else { least };
            if !self.take(b'}') || most < least {
                return None;
            }
            (least, most)
        } else {
            return Some(());
        };
        let body: Vec<Step> = self.steps.drain(start..).collect();
        let from = start as u32;
        let copy = |steps: &mut Vec<Step>| {
            let shift = steps.len() as u32 - from;
            steps.extend(body.iter().map(|step| match *step {
                Step::Split(to) => Step::Split(to + shift),
                Step::Jump(to) => Step::Jump(to + shift),
                same => same,
            }));
        };
        for _ in 0..least {
            copy(&mut self.steps);
        }
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.steps.len());
            self.steps.push(Step::Split(0));
            copy(&mut self.steps);
        }
        let end = self.here();
        for split in splits {
            *self.steps.get_mut(split)? = Step::Split(end);
        }
        Some(())
    }

    fn number(&mut self) -> Option<u32> {
        let mut value = None;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            self.at += 1;
            value = Some(value.unwrap_or(0) * 10 + u32::from(byte - b'0'));
        }
        value.filter(|number| *number <= 64)
    }

    fn here(&self) -> u32 {
        self.steps.len() as u32
    }

    /// Puts a step in front of what was just written, whose own targets move along.
    fn insert(&mut self, at: usize, step: Step) {
        self.steps.insert(at, step);
        for later in self.steps.iter_mut().skip(at + 1) {
            if let Step::Split(to) | Step::Jump(to) = later {
                *to += 1;
            }
        }
    }
}
