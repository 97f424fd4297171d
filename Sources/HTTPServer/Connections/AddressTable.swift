// How many connections each client network has.

import Synchronization

final class AddressTable: Sendable {
    private let counts = Mutex<[RemoteAddress.Network: Int]>([:])

    /// Counts a connection.
    ///
    /// - Returns: how many the network has now.
    func enter(_ network: RemoteAddress.Network) -> Int {
        self.counts.withLock { counts in
            let count = counts[network, default: 0] + 1
            counts[network] = count
            return count
        }
    }

    func leave(_ network: RemoteAddress.Network) {
        self.counts.withLock { counts in
            let count = counts[network, default: 0] - 1
            counts[network] = count > 0 ? count : nil
        }
    }
}
