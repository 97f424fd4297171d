// What can go wrong in a store, in words that all stores share. The text is for the log.

package enum StorageFault: Error, Hashable {
    /// No such object, upload or bucket.
    case missing(String)
    /// The store refuses our credentials.
    case accessDenied(String)
    /// No answer, a time-out, or an error of the store's own, also after the retries.
    case unavailable(String)
    /// No room is left.
    case full(String)
    /// The object isn't what its row says: another length, or an end before it.
    case damaged(String)
    /// The object has another SHA-256 than its row says.
    case mismatch(String)
    /// A part isn't there, or has another entity tag.
    case invalidPart(String)
    /// The bytes that arrived are more than were announced.
    case tooLarge
    /// The storage's marker is missing, or names another installation.
    case foreign(String)
    case other(String)
}
