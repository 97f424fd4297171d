// Limits how many credentials may fail: by address, and by credential. Rules: HTTP contract, section 9, row 34; limits: the
// settings `auth.throttle.*`.
//
// A token has 256 random bits, so it cannot be guessed, and looking up its hash is cheap: it is always looked up, and only
// a failure is throttled. A valid token is therefore never throttled, whatever else comes from its address. A secret
// that a person chose (the bootstrap token) can be guessed: beyond the limit of its address it is not compared at all.
// Each distinct credential counts once in a window, so an expired token that a job repeats uses up one failure.
// Counts are those of one process: several processes allow that many times as many.

import Domain
import Synchronization
package import Threads

package final class Throttle: Sendable {
    /// What has reached its limit.
    package enum Name: Hashable, Sendable {
        /// A client's network.
        case address(String)
        /// One credential, which failed from many addresses.
        case credential(UInt64)
    }

    /// A limit that was reached: the request is answered 429.
    package struct Excess: Fault, Hashable {
        package let description = "too many credentials have failed"
        package let name: Name
        /// In seconds.
        package let retryAfter: Int
        /// Whether it is the first of the window: the one that is audited.
        package let isFirst: Bool
    }

    /// A guess that may be compared. It is ended by ``end(_:isFailure:)``.
    package struct Admission: Sendable {
        fileprivate let credential: UInt64
        fileprivate let network: String
        /// Whether it was counted as a failure in advance, so that guesses that are sent at once are not all admitted.
        fileprivate let isReserved: Bool
    }

    private struct Entry {
        /// In microseconds since 1970.
        var start: Int64
        /// What has failed: fingerprints of credentials for an address, hashes of networks for a credential.
        var failures: Set<UInt64> = []
        var hasRefused = false
    }

    private struct State {
        var entries: [Name: Entry] = [:]
        /// The failures of all entries together.
        var failures = 0
        /// Guesses that were right, the latest last.
        var known: [UInt64] = []
    }

    private static let knownLimit = 64
    private static let entryLimit = 20_000
    private static let failureLimit = 400_000

    private let addressLimit: Int
    private let credentialLimit: Int
    /// In microseconds.
    private let window: Int64
    private let clock: WallClock
    private let network: @Sendable (String) -> String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - addressLimit: credentials of one address that may fail in a window; the next that fails is answered 429.
    ///   - credentialLimit: addresses from which one credential may fail in a window.
    ///   - windowSeconds: a window begins with the first failure after the last window's end.
    ///   - network: what an address counts as: one client may have many of version 6.
    package init(
        addressLimit: Int, credentialLimit: Int, windowSeconds: Int, clock: WallClock,
        network: @escaping @Sendable (String) -> String = { $0 }
    ) {
        self.network = network
        self.addressLimit = addressLimit
        self.credentialLimit = credentialLimit
        self.clock = clock
        self.window = Int64(windowSeconds) * 1_000_000
    }

    /// Counts a credential that was looked up and is not valid.
    ///
    /// - Returns: nil if the failure may be answered as such.
    package func fail(_ credential: UInt64, from address: String) -> Excess? {
        let network = self.network(address)
        return self.state.withLock { self.count(credential, network, &$0) }
    }

    /// Asks whether a secret that can be guessed may be compared.
    ///
    /// - Throws: `Excess` if too many credentials of the address have failed. A guess that failed before in this window, and
    ///   one that was right lately, are admitted.
    package func admit(guess credential: UInt64, from address: String) throws(Excess) -> Admission {
        let network = self.network(address)
        let outcome = self.state.withLock { state -> Result<Admission, Excess> in
            if state.known.contains(credential) {
                return .success(Admission(credential: credential, network: network, isReserved: false))
            }
            switch self.insert(credential, .address(network), limit: self.addressLimit, &state) {
            case .success(let isNew):
                return .success(Admission(credential: credential, network: network, isReserved: isNew))
            case .failure(let excess): return .failure(excess)
            }
        }
        return try outcome.get()
    }

    /// - Parameter isFailure: nil if the guess was not compared after all.
    package func end(_ admission: Admission, isFailure: Bool?) {
        self.state.withLock { state in
            if isFailure == true {
                state.known.removeAll { $0 == admission.credential }
                _ = self.count(admission.credential, admission.network, &state)
                return
            }
            if admission.isReserved,
                state.entries[.address(admission.network)]?.failures.remove(admission.credential) != nil
            {
                state.failures -= 1
            }
            if isFailure == false, !state.known.contains(admission.credential) {
                state.known.append(admission.credential)
                if state.known.count > Self.knownLimit { state.known.removeFirst() }
            }
        }
    }

    /// For tests: what is kept.
    package var size: (entries: Int, failures: Int) { self.state.withLock { ($0.entries.count, $0.failures) } }

    private func count(_ credential: UInt64, _ network: String, _ state: inout State) -> Excess? {
        // Beyond the address's limit nothing more is kept of it, so one address takes up bounded memory.
        if case .failure(let excess) = self.insert(
            credential, .address(network), limit: self.addressLimit, &state)
        {
            return excess
        }
        let place = UInt64(truncatingIfNeeded: network.hashValue)
        switch self.insert(place, .credential(credential), limit: self.credentialLimit, &state) {
        case .success: return nil
        case .failure(let excess): return excess
        }
    }

    /// - Returns: whether it was not there before.
    private func insert(
        _ failure: UInt64, _ name: Name, limit: Int, _ state: inout State
    ) -> Result<Bool, Excess> {
        let now = self.clock.now().microseconds
        self.makeRoom(&state, at: now)
        var entry = state.entries[name] ?? Entry(start: now)
        if entry.start + self.window <= now {
            state.failures -= entry.failures.count
            entry = Entry(start: now)
        }
        defer { state.entries[name] = entry }
        if entry.failures.contains(failure) { return .success(false) }
        guard entry.failures.count < limit else {
            let isFirst = !entry.hasRefused
            entry.hasRefused = true
            let left = entry.start + self.window - now
            return .failure(Excess(name: name, retryAfter: Int((left + 999_999) / 1_000_000), isFirst: isFirst))
        }
        entry.failures.insert(failure)
        state.failures += 1
        return .success(true)
    }

    /// Keeps memory bounded: first what has expired goes, then half of the rest, those below their limit first. What goes is
    /// chosen at random: removing entries in the table's own order would leave the rest of it ever more crowded.
    private func makeRoom(_ state: inout State, at now: Int64) {
        guard self.isFull(state) else { return }
        self.keep(&state) { $0.start + self.window > now }
        for sparesRefused in [true, false] where self.isFull(state) {
            self.keep(&state) { sparesRefused && $0.hasRefused || Bool.random() }
        }
    }

    private func isFull(_ state: State) -> Bool {
        state.entries.count >= Self.entryLimit || state.failures >= Self.failureLimit
    }

    private func keep(_ state: inout State, _ isKept: (Entry) -> Bool) {
        state.entries = state.entries.filter { isKept($0.value) }
        state.failures = state.entries.values.reduce(0) { $0 + $1.failures.count }
    }
}
