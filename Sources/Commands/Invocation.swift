// What was asked for: the verb's flags and arguments, as they were given.

import Domain

package struct Invocation: Sendable {
    /// Program and verbs: `artifortress token issue`.
    package let path: String
    /// In the order of giving; a switch's value is `true` or `false`.
    package let flags: [(name: String, value: String)]
    package let arguments: [String]
    package let console: Console

    /// The value of a flag; of a repeated one the last.
    package subscript(flag: String) -> String? { self.flags.last { $0.name == flag }?.value }

    package func isOn(_ flag: String) -> Bool { self[flag] == "true" }

    package var wantsJSON: Bool { self["output"] == "json" }

    /// - Throws: where it is no whole number in that range.
    package func integer(_ flag: String, in range: ClosedRange<Int>) throws(UsageFault) -> Int? {
        guard let text = self[flag] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw UsageFault("--\(flag): '\(text)'; allowed: a whole number, \(range.lowerBound)..\(range.upperBound)")
        }
        return value
    }

    /// - Throws: where it is not given.
    package func required(_ flag: String) throws(UsageFault) -> String {
        guard let value = self[flag] else { throw UsageFault("--\(flag) is required") }
        return value
    }
}

/// A command line that cannot be understood. Exit code 2.
package struct UsageFault: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Ends a verb whose complaint is already printed. Exit code 1.
package struct Failure: Fault {
    package let description = "the reason has been printed"

    package init() {}
}
