// What names that look alike have in common: a repository keeps them apart unless its setting `allowConfusableNames` is
// true.

import Cryptography
import Domain
import Normalization

package enum NameKey {
    /// The SHA-256 of a text's normalization form C; nil if no other text has the same form.
    package static func key(of text: String) throws(DatabaseFault) -> [UInt8]? {
        if NormalizationFormC.isUnmistakable(text) { return nil }
        return Hash.digest(.sha256, of: Array(try self.form(of: text).utf8))
    }

    /// Whether two texts differ, but not in normalization form C.
    package static func areConfusable(_ one: String, _ other: String) throws(DatabaseFault) -> Bool {
        guard !one.hasSameBytes(as: other) else { return false }
        guard !NormalizationFormC.isUnmistakable(one), !NormalizationFormC.isUnmistakable(other) else { return false }
        return try self.form(of: one).hasSameBytes(as: self.form(of: other))
    }

    private static func form(of text: String) throws(DatabaseFault) -> String {
        guard let form = NormalizationFormC.of(text) else { throw .unavailable("no memory to normalize a name") }
        return form
    }

    /// Rows whose `column` may be confused with another text. (``NormalizationFormC/isUnmistakable(_:)`` as a condition.)
    static func isMistakable(_ column: SQL) -> SQL {
        """
        \(.either(
            postgreSQL: "(octet_length(\(column)) <> char_length(\(column)) OR \(column) ~ '[K;`]')",
            sqlite: "(length(CAST(\(column) AS BLOB)) <> length(\(column)) OR \(column) GLOB '*[K;`]*')"))
        """
    }
}

extension Repository {
    /// Refuses a new name that looks like one that is there.
    ///
    /// - Parameters:
    ///   - kind: `path`, `version`, …
    ///   - present: the mistakable names of the same kind in the same place.
    /// - Throws: `confusable_name`.
    package func refuse(_ name: String, as kind: String, besides present: () throws -> [String]) throws {
        guard !self.settings.allowConfusableNames, !NormalizationFormC.isUnmistakable(name) else { return }
        for other in try present() where try NameKey.areConfusable(name, other) {
            throw Refusal.confusable(name, other, kind)
        }
    }
}

extension Refusal {
    static func confusable(_ name: String, _ present: String, _ kind: String) -> Refusal {
        Refusal(
            .confusableName,
            "The \(kind) '\(name)' looks like '\(present)', which exists: they differ only before Unicode normalization "
                + "(NFC). Use the existing name, or set the repository's \"allowConfusableNames\" to true.",
            ["name": .string(name), "existingName": .string(present)])
    }
}
