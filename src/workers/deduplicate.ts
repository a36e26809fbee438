/** Passes a line on only once if several processes report it within `window` milliseconds. */
export function createDeduplicator(
  tell: (line: string) => void,
  now: () => number,
  window = 5_000,
): (line: string) => void {
  const latest = new Map<string, number>();
  return (line) => {
    const time = now();
    for (const [known, at] of latest) {
      if (time - at < window) break;
      latest.delete(known);
    }
    if (latest.has(line)) return;
    latest.set(line, time);
    tell(line);
  };
}
