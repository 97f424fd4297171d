// Where a setting's value comes from, in the words that `artifortress config` and every complaint use.

package enum SettingSource: Hashable, Sendable, CustomStringConvertible {
    case `default`
    case file(path: String, line: Int)
    /// The variable's name, with `_FILE` where the value was read from the file that it names.
    case environment(String)
    /// The flag, with its dashes.
    case flag(String)

    package var description: String {
        switch self {
        case .default: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): variable
        case .flag(let flag): flag
        }
    }
}
