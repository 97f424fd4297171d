// Values that are one of a few words, in queries and bodies. They count in any case.

import Domain
import HTTP

extension Target {
    /// One of some words in the query, in any case; nil where it is absent or blank.
    ///
    /// - Throws: `bad_request`.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws(Refusal) -> Word?
    where Word.RawValue == String {
        guard let text = self.parameter(name)?.trimmedOrNil else { return nil }
        return try Word(word: text, name)
    }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
    /// - Parameter text: in any case.
    /// - Throws: `bad_request`.
    init(word text: String, _ name: String) throws(Refusal) {
        guard let value = Self(rawValue: text.lowercased()) else {
            throw .badRequest("\(name) must be one of \(Self.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self = value
    }
}
