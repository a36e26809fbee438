/** Ids that records use for decisions without a rule, and that rules therefore cannot have. */
export function isReserved(id: string): boolean {
  return id.startsWith('default-') || id === 'server-name-mismatch' || id === 'encrypted-client-hello';
}
