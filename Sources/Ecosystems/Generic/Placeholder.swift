// Ecosystems/Generic
