/** Ids that stand in records where no rule of the policy decided: a rule of that name would be taken for one of them. */
export function isReserved(id: string): boolean {
  return id.startsWith('default-') || id === 'server-name-mismatch' || id === 'encrypted-client-hello';
}
