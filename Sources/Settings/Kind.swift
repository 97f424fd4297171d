// What a setting's value may be: how it is read from text, what is said of it, how it is shown.

import Domain

/// A value as it is given, before its kind is known.
package struct Given: Sendable {
    enum Content: Sendable {
        case text(String)
        /// Quoted in the settings file: text, even where it looks like a number.
        case quoted(String)
        case list([String])
        case nothing
        case mapping
    }

    let content: Content
    let source: SettingSource
}

enum WrittenForm: Sendable {
    /// Number or boolean: quotes make it text, and so wrong.
    case bare
    case text
    /// A sequence, or text with commas.
    case list
}

package struct Kind<Value: Sendable>: Sendable {
    /// In words, after "allowed:".
    let allowed: String
    let form: WrittenForm
    var isSecret = false
    /// Reads one text; nil where it isn't allowed.
    let read: @Sendable (String) -> Value?
    /// Reads the elements of a list.
    var readList: (@Sendable ([String]) -> Value?)?
    /// For people: without what is secret in it.
    let write: @Sendable (Value) -> JSON

    /// - Throws: a line that names the key, its source and what is allowed; a secret is not repeated in it.
    func value(of given: Given, for key: String) throws(SettingsFault) -> Value {
        func refuse(_ problem: String) -> SettingsFault {
            SettingsFault(key, given.source, "\(problem); allowed: \(self.allowed)")
        }
        let text: String
        switch given.content {
        case .nothing: throw refuse("has no value")
        case .mapping: throw refuse("has keys below it")
        case .list(let elements):
            guard let readList else { throw refuse("is a list") }
            guard let value = readList(elements) else { throw refuse("[\(elements.joined(separator: ", "))]") }
            return value
        case .quoted(let quoted):
            guard self.form != .bare else { throw refuse("a text in quotes") }
            text = quoted
        case .text(let plain): text = plain
        }
        guard !text.isEmpty else { throw refuse("is empty") }
        let value =
            if let readList {
                readList(text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed })
            } else { self.read(text) }
        guard let value else { throw refuse(self.isSecret ? "is not of the form that is asked for" : "'\(text)'") }
        return value
    }
}

extension Kind {
    /// A setting that may be left out altogether.
    var orNone: Kind<Value?> {
        var readList: (@Sendable ([String]) -> Value??)?
        if let read = self.readList { readList = { texts in read(texts).map { .some($0) } } }
        let (read, write) = (self.read, self.write)
        return Kind<Value?>(
            allowed: self.allowed, form: self.form, isSecret: self.isSecret,
            read: { text in read(text).map { .some($0) } }, readList: readList,
            write: { value in value.map(write) ?? .null })
    }
}
