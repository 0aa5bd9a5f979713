//! A small deterministic generator for tests: the same cases on each run.
use blake2::{Blake2b512, Digest};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

pub struct Bytes {
    seed: u64,
    count: u64,
}

impl Bytes {
    pub fn new(seed: u64) -> Bytes {
        Bytes { seed, count: 0 }
    }

    pub fn wide(&mut self) -> [u8; 64] {
        self.count += 1;
        Blake2b512::new()
            .chain_update(self.seed.to_le_bytes())
            .chain_update(self.count.to_le_bytes())
            .finalize()
            .into()
    }

    pub fn u64(&mut self) -> u64 {
        let wide = self.wide();
        u64::from_le_bytes(wide[..8].try_into().expect("8 bytes"))
    }

    pub fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.wide())
    }

    pub fn point(&mut self) -> RistrettoPoint {
        RistrettoPoint::from_uniform_bytes(&self.wide())
    }
}
