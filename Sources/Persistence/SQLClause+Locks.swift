// Row locks of PostgreSQL, by what they are for. SQLite has one writer and needs none.
// Which lock conflicts with which: PostgreSQL 15 manual, 13.3.2; why these: architecture, section 6 (Delete).

extension SQLClause {
    /// None.
    package static let noLock = either(postgreSQL: "", sqlite: "")
    /// Before referring to a blob, or changing a row but not its key: conflicts with a change of state
    /// and with the collection's `FOR UPDATE`, not with foreign keys that point at the row.
    package static let forNoKeyUpdate = either(postgreSQL: "FOR NO KEY UPDATE", sqlite: "")
    /// Before referring to a blob that others refer to at the same time: conflicts with every change of the row.
    package static let forShare = either(postgreSQL: "FOR SHARE", sqlite: "")
    /// Keeps the row from being deleted.
    package static let forKeyShare = either(postgreSQL: "FOR KEY SHARE", sqlite: "")
}
