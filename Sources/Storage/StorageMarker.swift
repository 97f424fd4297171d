// The marker of a storage: a small file or object that names the installation whose objects are there. Without it, an
// unmounted directory or an emptied bucket would look like a new, empty storage.

package import Domain

/// Whose storage a place is, by its marker.
package enum StorageOwner: Hashable, Sendable {
    /// There is no marker.
    case unmarked
    case installation(UniqueID)
    /// There is a marker that holds no installation id.
    case unreadable(String)

    /// - Parameter text: the marker's content.
    package init(marker text: String) {
        let text = text.trimmed
        self = UniqueID(text).map(Self.installation) ?? .unreadable(String(text.prefix(64)))
    }
}

extension StorageOwner: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unmarked: "none"
        case .installation(let id): id.description
        case .unreadable(let text): "'\(text)'"
        }
    }
}

/// A place's marker, for those who look at it or replace it. Reading it changes nothing.
package protocol StorageMarker: Sendable {
    /// Where the marker is, for people.
    var place: String { get }

    /// - Throws: storage faults; a place that does not exist is `unmarked`.
    func owner() async throws -> StorageOwner

    /// Makes the place this installation's, whichever installation's it was.
    func write(_ installation: UniqueID) async throws
}

extension StorageFault {
    /// The fault of a place that is not the installation's; nil if it is.
    package static func foreignStorage(
        _ place: String, _ owner: StorageOwner, expected installation: UniqueID
    ) -> StorageFault? {
        switch owner {
        case .installation(installation): nil
        case .installation(let other):
            .foreign(
                "\(place) says that the storage belongs to installation \(other), not to \(installation): storage.url "
                    + "must name this installation's storage; to take the other one's over, stop all servers and run "
                    + "'artifortress storage adopt --installation \(other)'")
        case .unmarked:
            .foreign(
                "the marker \(place) of installation \(installation) is missing, although the database has blobs: mount "
                    + "the volume, or correct storage.url; if this is the right storage, stop all servers and run "
                    + "'artifortress storage adopt'")
        case .unreadable(let text):
            .foreign(
                "\(place) must hold the id of installation \(installation), but holds '\(text)': restore it, or remove it, "
                    + "stop all servers and run 'artifortress storage adopt'")
        }
    }
}
