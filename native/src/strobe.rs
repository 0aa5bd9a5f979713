//! Merlin transcripts over a STROBE-128 sponge that absorbs whole blocks.
//!
//! The bytes are those of the `merlin` crate (a test compares them). That crate adds one byte at a
//! time to the sponge state; hashing a transaction is a hundred thousand such bytes, so here they
//! are laid out in a block first and the block is added as 21 words.
use zeroize::Zeroize;

/// Bytes of one sponge block: 200 - 2 * 16 for 128-bit strength, less STROBE's two framing bytes.
const RATE: usize = 166;
const BLOCK: usize = RATE + 2;

const FLAG_I: u8 = 1;
const FLAG_A: u8 = 1 << 1;
const FLAG_C: u8 = 1 << 2;
const FLAG_M: u8 = 1 << 4;

const META_AD: u8 = FLAG_M | FLAG_A;
const AD: u8 = FLAG_A;
const PRF: u8 = FLAG_I | FLAG_A | FLAG_C;

/// A Merlin transcript: messages in, challenges out.
#[derive(Clone)]
pub struct Transcript {
    state: [u64; 25],
    /// Bytes of the current block not yet added to `state`; valid below `pos`.
    block: [u8; BLOCK],
    pos: usize,
    /// Where the current operation began, plus one; 0 when in an earlier block.
    begin: u8,
}

impl Transcript {
    /// An empty transcript of the protocol `label`.
    pub fn new(label: &[u8]) -> Self {
        let mut head = [0u8; 200];
        head[..6].copy_from_slice(&[1, RATE as u8 + 2, 1, 0, 1, 96]);
        head[6..18].copy_from_slice(b"STROBEv1.0.2");
        let mut state = [0u64; 25];
        for (word, bytes) in state.iter_mut().zip(head.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        }
        crate::keccak::f1600(&mut state);
        let mut transcript = Transcript {
            state,
            block: [0; BLOCK],
            pos: 0,
            begin: 0,
        };
        transcript.operation(META_AD);
        transcript.absorb(b"Merlin v1.0");
        transcript.append_message(b"dom-sep", label);
        transcript
    }

    /// Bind `message` under `label`.
    #[inline]
    pub fn append_message(&mut self, label: &[u8], message: &[u8]) {
        let size = label.len() + message.len() + 8;
        if self.pos + size < RATE {
            self.append_within_block(label, message, size);
            return;
        }
        self.operation(META_AD);
        self.absorb(label);
        self.absorb(&length(message));
        self.operation(AD);
        self.absorb(message);
    }

    /// `append_message` for the common case that the block has room for all `size` bytes.
    #[inline]
    fn append_within_block(&mut self, label: &[u8], message: &[u8], size: usize) {
        let (meta, data) = (self.pos, self.pos + 6 + label.len());
        let block = &mut self.block[meta..meta + size];
        block[0] = self.begin;
        block[1] = META_AD;
        let (head, tail) = block[2..].split_at_mut(label.len());
        head.copy_from_slice(label);
        tail[..4].copy_from_slice(&length(message));
        tail[4] = meta as u8 + 1;
        tail[5] = AD;
        tail[6..].copy_from_slice(message);
        self.begin = data as u8 + 1;
        self.pos = meta + size;
    }

    /// Fill `output` with bytes that depend on everything appended before.
    pub fn challenge_bytes(&mut self, label: &[u8], output: &mut [u8]) {
        self.operation(META_AD);
        self.absorb(label);
        self.absorb(&length(output));
        self.operation(PRF);
        if self.pos != 0 {
            self.permute();
        }
        self.squeeze(output);
    }

    #[inline]
    fn operation(&mut self, flags: u8) {
        let previous = self.begin;
        self.begin = self.pos as u8 + 1;
        if self.pos + 2 < RATE {
            self.block[self.pos] = previous;
            self.block[self.pos + 1] = flags;
            self.pos += 2;
        } else {
            self.absorb(&[previous, flags]);
        }
    }

    #[inline]
    fn absorb(&mut self, mut data: &[u8]) {
        while data.len() >= RATE - self.pos {
            let (now, later) = data.split_at(RATE - self.pos);
            self.block[self.pos..RATE].copy_from_slice(now);
            self.pos = RATE;
            self.permute();
            data = later;
        }
        self.block[self.pos..self.pos + data.len()].copy_from_slice(data);
        self.pos += data.len();
    }

    /// Close the block and run Keccak-f[1600].
    fn permute(&mut self) {
        self.block[self.pos..].fill(0);
        self.block[self.pos] = self.begin;
        self.block[self.pos + 1] = 0x04;
        self.block[RATE + 1] ^= 0x80;
        for (word, bytes) in self.state.iter_mut().zip(self.block.chunks_exact(8)) {
            *word ^= u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        }
        crate::keccak::f1600(&mut self.state);
        self.pos = 0;
        self.begin = 0;
    }

    /// Take bytes from the state and put zeros in their place. Only right after `permute`.
    fn squeeze(&mut self, output: &mut [u8]) {
        for byte in output {
            let (word, shift) = (self.pos / 8, self.pos % 8 * 8);
            *byte = (self.state[word] >> shift) as u8;
            self.state[word] &= !(0xff << shift);
            self.block[self.pos] = 0;
            self.pos += 1;
            if self.pos == RATE {
                self.permute();
            }
        }
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

fn length(message: &[u8]) -> [u8; 4] {
    u32::try_from(message.len())
        .expect("a transcript message is shorter than 4 GiB")
        .to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::Transcript;

    /// A small generator, so that the cases are the same on each run.
    fn next(seed: &mut u64) -> u64 {
        *seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        *seed >> 33
    }

    #[test]
    fn known_challenge() {
        let mut transcript = Transcript::new(b"test protocol");
        transcript.append_message(b"some label", b"some data");
        let mut challenge = [0u8; 32];
        transcript.challenge_bytes(b"challenge", &mut challenge);
        let expected = "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615";
        let found: String = challenge.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn equals_the_merlin_crate() {
        let mut seed = 7;
        for _ in 0..200 {
            let mut ours = Transcript::new(b"protocol");
            let mut theirs = merlin::Transcript::new(b"protocol");
            for _ in 0..next(&mut seed) % 40 {
                let size = next(&mut seed) as usize % 400;
                if next(&mut seed).is_multiple_of(4) {
                    let (mut one, mut two) = (vec![0; size], vec![1; size]);
                    ours.challenge_bytes(b"out", &mut one);
                    theirs.challenge_bytes(b"out", &mut two);
                    assert_eq!(one, two);
                } else {
                    let message: Vec<u8> = (0..size).map(|_| next(&mut seed) as u8).collect();
                    ours.append_message(b"a label", &message);
                    theirs.append_message(b"a label", &message);
                }
            }
            let (mut one, mut two) = ([0; 32], [1; 32]);
            ours.challenge_bytes(b"end", &mut one);
            theirs.challenge_bytes(b"end", &mut two);
            assert_eq!(one, two);
        }
    }
}
