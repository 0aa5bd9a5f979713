//! What prover and verifier hash, in order. Each step returns the challenges that follow it.
use curve25519_dalek::scalar::Scalar;

use crate::strobe::Transcript;

pub const LABEL: &[u8] = b"mc_bulletproof_transcript";

/// A transcript of a proof over values of `bits` bits.
pub struct RangeTranscript {
    transcript: Transcript,
    bits: usize,
}

impl RangeTranscript {
    pub fn new(label: &[u8], bits: usize, parties: usize) -> Self {
        let mut transcript = Transcript::new(label);
        transcript.append_message(b"dom-sep", b"rangeproof v1");
        transcript.append_message(b"n", &(bits as u64).to_le_bytes());
        transcript.append_message(b"m", &(parties as u64).to_le_bytes());
        Self { transcript, bits }
    }

    pub fn value_commitment(&mut self, commitment: &[u8; 32]) {
        self.append(b"V", commitment);
    }

    /// Returns (y, z).
    pub fn bits(&mut self, a: &[u8; 32], s: &[u8; 32]) -> (Scalar, Scalar) {
        self.append(b"A", a);
        self.append(b"S", s);
        (self.challenge(b"y"), self.challenge(b"z"))
    }

    /// Returns x.
    pub fn polynomial(&mut self, t_1: &[u8; 32], t_2: &[u8; 32]) -> Scalar {
        self.append(b"T_1", t_1);
        self.append(b"T_2", t_2);
        self.challenge(b"x")
    }

    /// Returns w and opens the inner product argument over `bits * parties` factors.
    pub fn opening(
        &mut self,
        parties: usize,
        t_x: &Scalar,
        t_x_blinding: &Scalar,
        e_blinding: &Scalar,
    ) -> Scalar {
        self.append(b"t_x", t_x.as_bytes());
        self.append(b"t_x_blinding", t_x_blinding.as_bytes());
        self.append(b"e_blinding", e_blinding.as_bytes());
        let w = self.challenge(b"w");
        self.append(b"dom-sep", b"ipp v1");
        self.append(b"n", &((self.bits * parties) as u64).to_le_bytes());
        w
    }

    /// Returns the round's u.
    pub fn round(&mut self, left: &[u8; 32], right: &[u8; 32]) -> Scalar {
        self.append(b"L", left);
        self.append(b"R", right);
        self.challenge(b"u")
    }

    fn append(&mut self, label: &[u8], message: &[u8]) {
        self.transcript.append_message(label, message);
    }

    fn challenge(&mut self, label: &[u8]) -> Scalar {
        let mut bytes = [0; 64];
        self.transcript.challenge_bytes(label, &mut bytes);
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}
