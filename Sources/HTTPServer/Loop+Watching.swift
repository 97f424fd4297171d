// What a loop does about clients that the daemon would wait for too long, or stop watching too soon.

import CMicroHTTPD
import Glibc
import HTTP

extension Loop {
    /// Ends exchanges whose clients have gone or send their bodies too slowly, answers whose file has become too short,
    /// and connections that have sent no whole head in time (to the daemon, a byte is as good as a head).
    func look() {
        let now = ContinuousClock.now
        let connections = Array(self.connections.values)
        for connection in connections {
            if let exchange = connection.exchange {
                exchange.look(now)
            } else if now - connection.idleSince > self.server.configuration.headTimeout {
                connection.shutDown()
            }
        }
        var polled = connections.map { pollfd(fd: $0.socket, events: http_poll_hangup, revents: 0) }
        guard unsafe poll(&polled, nfds_t(polled.count), 0) > 0 else { return }
        for (connection, polled) in zip(connections, polled) where polled.revents != 0 { self.end(connection) }
    }

    /// Ends what waits for a client that has hung up. The daemon doesn't look at a suspended connection; and if a last
    /// piece and the hanging-up came together, it has read the one and isn't told of the other any more.
    private func end(_ connection: Connection) {
        guard let exchange = connection.exchange else { return connection.endIfRead() }
        if exchange.isSuspended {
            exchange.abort()
        } else if exchange.waitsForBody {
            connection.endIfRead()
        }
    }

    /// Reads, and throws away, what comes after an early answer: closing with unread bytes could cost the client that
    /// answer.
    func readOn(_ polled: ArraySlice<pollfd>) {
        let now = ContinuousClock.now
        self.lingering = zip(self.lingering, polled).compactMap { lingering, polled in
            if now < lingering.deadline, polled.revents == 0 || Self.discard(lingering.socket) { return lingering }
            close(lingering.socket)
            return nil
        }
    }

    private static func discard(_ socket: Int32) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { buffer in
            let count = unsafe recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            return count > 0 || count < 0 && errno == EAGAIN
        }
    }
}
