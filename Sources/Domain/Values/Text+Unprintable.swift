// Characters that change what a person sees without being seen: control characters and the bidirectional controls, which
// reorder the text around them. Rules: Unicode 15.1, 23.1 and UAX 9, 2.

extension Unicode.Scalar {
    /// Whether it is a control character (C0, DEL or C1) or a bidirectional control (U+202A to U+202E, U+2066 to U+2069).
    package var isControlOrBidirectional: Bool {
        switch self.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    /// The first character that free text must not contain: a control character other than a tab or a line end (LF or
    /// CR LF), or a bidirectional control. Nil if there is none.
    package var firstUnprintable: Unicode.Scalar? {
        // Nearly all text is ASCII without control characters, which its bytes show.
        if self.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x0A || $0 == 0x09 }) { return nil }
        var isAfterReturn = false
        for scalar in self.unicodeScalars {
            if isAfterReturn, scalar != "\n" { return "\r" }
            isAfterReturn = scalar == "\r"
            if isAfterReturn || scalar == "\n" || scalar == "\t" { continue }
            if scalar.isControlOrBidirectional { return scalar }
        }
        return isAfterReturn ? "\r" : nil
    }
}

extension Unicode.Scalar {
    /// `U+202E`: at least four hexadecimal digits.
    package var codePoint: String {
        let digits = String(self.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
