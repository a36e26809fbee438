/** A vendor that no catalogue has, as a file of its own. */
export const acmeVendor = `id: acme
name: Acme AI
products:
  - id: chat
    name: Acme Chat
    kind: chat
    hosts: [{ suffix: acme-ai.test, role: app, source: 'https://acme-ai.test/', checked: 2026-01-01, confidence: own-knowledge }]
`;
