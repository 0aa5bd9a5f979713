//! The bytes of a proof.
use curve25519_dalek::scalar::Scalar;

type Encoded = [u8; 32];

/// Four points, three scalars and two more scalars stand around the rounds.
const FIXED_ELEMENTS: usize = 9;
/// A proof that declares this many rounds is refused unread.
const ROUNDS_LIMIT: usize = 32;

/// A proof cut into its elements; points are still encoded.
pub struct Proof {
    pub a: Encoded,
    pub s: Encoded,
    pub t_1: Encoded,
    pub t_2: Encoded,
    pub t_x: Scalar,
    pub t_x_blinding: Scalar,
    pub e_blinding: Scalar,
    /// `L` and `R` of each round of the inner product argument.
    pub rounds: Vec<(Encoded, Encoded)>,
    pub inner_a: Scalar,
    pub inner_b: Scalar,
}

impl Proof {
    /// `None` unless the length fits and every scalar is canonical.
    pub fn parse(bytes: &[u8]) -> Option<Proof> {
        let (elements, rest) = bytes.as_chunks::<32>();
        let round_elements = elements.len().checked_sub(FIXED_ELEMENTS)?;
        let round_count = round_elements / 2;
        if !rest.is_empty() || round_elements % 2 != 0 || round_count >= ROUNDS_LIMIT {
            return None;
        }
        let scalar =
            |index: usize| Option::<Scalar>::from(Scalar::from_canonical_bytes(elements[index]));
        Some(Proof {
            a: elements[0],
            s: elements[1],
            t_1: elements[2],
            t_2: elements[3],
            t_x: scalar(4)?,
            t_x_blinding: scalar(5)?,
            e_blinding: scalar(6)?,
            rounds: elements[7..7 + round_elements]
                .chunks_exact(2)
                .map(|pair| (pair[0], pair[1]))
                .collect(),
            inner_a: scalar(elements.len() - 2)?,
            inner_b: scalar(elements.len() - 1)?,
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 * (FIXED_ELEMENTS + 2 * self.rounds.len()));
        for point in [&self.a, &self.s, &self.t_1, &self.t_2] {
            bytes.extend_from_slice(point);
        }
        for scalar in [&self.t_x, &self.t_x_blinding, &self.e_blinding] {
            bytes.extend_from_slice(scalar.as_bytes());
        }
        for (left, right) in &self.rounds {
            bytes.extend_from_slice(left);
            bytes.extend_from_slice(right);
        }
        bytes.extend_from_slice(self.inner_a.as_bytes());
        bytes.extend_from_slice(self.inner_b.as_bytes());
        bytes
    }
}
