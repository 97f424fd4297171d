// What a setting's value may be: how it is read from text, what is said of it, how it is shown.

import Domain

/// A value as it is given, before its kind is known.
package struct Given: Sendable {
    enum Content: Sendable {
        case text(String)
        /// Quoted in the settings file: text, even where it looks like a number.
        case quoted(String)
        case list([String])
        /// A sequence of more than single values.
        case document(JSON)
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
    /// Reads one text; nil where it is not allowed.
    let read: @Sendable (String) -> Value?
    /// Reads the elements of a list.
    var readList: (@Sendable ([String]) -> Value?)?
    /// Reads a document, of which the text form is JSON; the refusal says what is wrong with it.
    var readDocument: (@Sendable (JSON) throws(Refusal) -> Value)?
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
        case let content where self.readDocument != nil: return try self.document(content, refuse)
        case .document: throw SettingsFault(key, given.source, "an element of the list is not a single value")
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
    private func document(
        _ content: Given.Content, _ refuse: (String) -> SettingsFault
    ) throws(SettingsFault) -> Value {
        let document: JSON
        switch content {
        case .document(let given): document = given
        case .list(let texts): document = JSON(texts)
        case .text(let text), .quoted(let text):
            do { document = try JSON(parsing: Array(text.utf8)) } catch { throw refuse("is no JSON: \(error)") }
        case .nothing, .mapping: throw refuse("is no document")
        }
        guard let readDocument else { throw refuse("is a document") }
        do { return try readDocument(document) } catch { throw refuse(error.message) }
    }

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
