//! The seven who are refused.

/// Who asks, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// Without any proof.
    Nobody,
    /// With a good token of another installation; among peers, of somebody who is not in the dataspace.
    Stranger,
    /// With a good token of this installation for somebody else.
    OtherTenant,
    /// With a token of whoever may, for another audience.
    WrongAudience,
    /// With a token of whoever may, that was good.
    Expired,
    /// With the claims of whoever may, and `alg: none`.
    Unsigned,
    /// With the header and the claims of whoever may, signed by somebody else.
    WrongKey,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nobody,
        Self::Stranger,
        Self::OtherTenant,
        Self::WrongAudience,
        Self::Expired,
        Self::Unsigned,
        Self::WrongKey,
    ];
}
