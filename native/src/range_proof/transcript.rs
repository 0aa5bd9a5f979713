//! What prover and verifier hash, in order. Each step returns the challenges that follow it.
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;

use crate::generators::BITS;

const LABEL: &[u8] = b"mc_bulletproof_transcript";

pub struct RangeTranscript(Transcript);

impl RangeTranscript {
    pub fn new(parties: usize) -> Self {
        let mut transcript = Transcript::new(LABEL);
        transcript.append_message(b"dom-sep", b"rangeproof v1");
        transcript.append_u64(b"n", BITS as u64);
        transcript.append_u64(b"m", parties as u64);
        Self(transcript)
    }

    pub fn value_commitment(&mut self, commitment: &[u8; 32]) {
        self.0.append_message(b"V", commitment);
    }

    /// Returns (y, z).
    pub fn bits(&mut self, a: &[u8; 32], s: &[u8; 32]) -> (Scalar, Scalar) {
        self.0.append_message(b"A", a);
        self.0.append_message(b"S", s);
        (self.challenge(b"y"), self.challenge(b"z"))
    }

    /// Returns x.
    pub fn polynomial(&mut self, t_1: &[u8; 32], t_2: &[u8; 32]) -> Scalar {
        self.0.append_message(b"T_1", t_1);
        self.0.append_message(b"T_2", t_2);
        self.challenge(b"x")
    }

    /// Returns w and opens the inner product argument over `64 * parties` factors.
    pub fn opening(
        &mut self,
        parties: usize,
        t_x: &Scalar,
        t_x_blinding: &Scalar,
        e_blinding: &Scalar,
    ) -> Scalar {
        self.0.append_message(b"t_x", t_x.as_bytes());
        self.0
            .append_message(b"t_x_blinding", t_x_blinding.as_bytes());
        self.0.append_message(b"e_blinding", e_blinding.as_bytes());
        let w = self.challenge(b"w");
        self.0.append_message(b"dom-sep", b"ipp v1");
        self.0.append_u64(b"n", (BITS * parties) as u64);
        w
    }

    /// Returns the round's u.
    pub fn round(&mut self, left: &[u8; 32], right: &[u8; 32]) -> Scalar {
        self.0.append_message(b"L", left);
        self.0.append_message(b"R", right);
        self.challenge(b"u")
    }

    fn challenge(&mut self, label: &'static [u8]) -> Scalar {
        let mut bytes = [0; 64];
        self.0.challenge_bytes(label, &mut bytes);
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}
