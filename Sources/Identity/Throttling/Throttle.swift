// Slows down whoever guesses credentials: after so many failures in a window an address, or the subject that is guessed
// at, is answered 429. Rules: HTTP contract, section 9, row 34; limits: the settings `auth.throttle.*`. Counts are this
// process's own: several processes let through that many times as much, which guessing 256 random bits, or a bootstrap
// token of length, doesn't profit from.

import Domain
import Synchronization
package import Threads

package final class Throttle: Sendable {
    /// What one request presents.
    package struct Attempt: Sendable {
        /// The address, and whoever is named: told when asked, which a credential that was good lately isn't.
        package let names: @Sendable () -> [Name]
        /// Tells one credential from another.
        package let credential: UInt64

        package init(names: @escaping @autoclosure @Sendable () -> [Name], credential: UInt64) {
            (self.names, self.credential) = (names, credential)
        }
    }

    package enum Name: Hashable, Sendable {
        case address(String)
        case subject(String)
    }

    package enum Verdict: Hashable, Sendable {
        case admitted
        /// - Parameters:
        ///   - retryAfter: in seconds.
        ///   - isFirst: whether this is the window's first refusal.
        case refused(Name, retryAfter: Int, isFirst: Bool)
    }

    private struct Entry {
        /// In microseconds since 1970.
        var start: Int64
        var failures = 0
        /// Credentials that are being looked at, with the number of requests that present each.
        var pending: [UInt64: Int] = [:]
        var hasRefused = false
    }

    private struct State {
        var entries: [Name: Entry] = [:]
        /// Credentials that were good lately, by their last bits: whoever has one isn't guessing. A later one takes
        /// the place of an earlier one.
        var known: [UInt64]
    }

    private static let knownCount = 4096
    private static let entryLimit = 20_000

    private let addressLimit: Int
    private let subjectLimit: Int
    /// In microseconds.
    private let window: Int64
    private let clock: WallClock
    private let network: @Sendable (String) -> String
    private let state: Mutex<State>

    /// - Parameters:
    ///   - addressLimit: failures of one address in a window that are answered as such; the next is answered 429.
    ///   - subjectLimit: the same for one subject.
    ///   - windowSeconds: a window begins with the first attempt after the last window's end.
    ///   - network: what an address counts as: one client may have many of version 6.
    package init(
        addressLimit: Int, subjectLimit: Int, windowSeconds: Int, clock: WallClock,
        network: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.network = network
        (self.addressLimit, self.subjectLimit, self.clock) = (addressLimit, subjectLimit, clock)
        self.window = Int64(windowSeconds) * 1_000_000
        self.state = Mutex(State(known: Array(repeating: 0, count: Self.knownCount)))
    }

    package func name(ofAddress address: String) -> Name { .address(self.network(address)) }

    /// Whether the attempt may be looked at. One that is admitted is ended by ``end(_:isFailure:)``.
    package func admit(_ attempt: Attempt) -> Verdict {
        self.state.withLock { state in
            if state.known[Self.place(attempt.credential)] == attempt.credential { return .admitted }
            let now = self.clock.now().microseconds
            self.makeRoom(&state, at: now)
            let names = attempt.names()
            for name in names {
                var entry = state.entries[name] ?? Entry(start: now)
                if entry.start + self.window <= now {
                    entry = Entry(start: now, pending: entry.pending)
                }
                let others = entry.pending.count - (entry.pending[attempt.credential] == nil ? 0 : 1)
                guard entry.failures + others < self.limit(of: name) else {
                    let isFirst = !entry.hasRefused
                    entry.hasRefused = true
                    state.entries[name] = entry
                    let left = entry.start + self.window - now
                    return .refused(name, retryAfter: Int((left + 999_999) / 1_000_000), isFirst: isFirst)
                }
                state.entries[name] = entry
            }
            for name in names { state.entries[name]?.pending[attempt.credential, default: 0] += 1 }
            return .admitted
        }
    }

    /// - Parameter isFailure: nil where nobody looked at the credential.
    package func end(_ attempt: Attempt, isFailure: Bool?) {
        self.state.withLock { state in
            let place = Self.place(attempt.credential)
            switch isFailure {
            case false?: state.known[place] = attempt.credential
            case true? where state.known[place] == attempt.credential: state.known[place] = 0
            default: break
            }
            if state.entries.isEmpty { return }
            for name in attempt.names() {
                guard var entry = state.entries[name] else { continue }
                if let count = entry.pending[attempt.credential] {
                    entry.pending[attempt.credential] = count > 1 ? count - 1 : nil
                }
                if isFailure == true { entry.failures += 1 }
                state.entries[name] = entry.failures == 0 && entry.pending.isEmpty ? nil : entry
            }
        }
    }

    private static func place(_ credential: UInt64) -> Int { Int(credential % UInt64(Self.knownCount)) }

    private func limit(of name: Name) -> Int {
        switch name {
        case .address: self.addressLimit
        case .subject: self.subjectLimit
        }
    }

    /// Keeps the number of entries, and so memory, bounded.
    private func makeRoom(_ state: inout State, at now: Int64) {
        guard state.entries.count >= Self.entryLimit else { return }
        state.entries = state.entries.filter { $0.value.start + self.window > now || !$0.value.pending.isEmpty }
        while state.entries.count >= Self.entryLimit, let any = state.entries.keys.first { state.entries[any] = nil }
    }
}
