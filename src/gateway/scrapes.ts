/** Renders metrics at a cost that does not grow with the number of scrapers. */

/** Rendering pauses for this multiple of the time that the last one took, in milliseconds at most `MOST_REST`. */
const REST = 3;
const MOST_REST = 100;

/**
 * Requests that come during a rendering or a pause share the next one, made after all of them came, so that none gets
 * stale values.
 *
 * @param now monotonic clock, milliseconds.
 */
export function createScrapes(render: () => Promise<string>, now: () => number): () => Promise<string> {
  let current: Promise<unknown> | null = null;
  let next: Promise<string> | null = null;
  let restUntil = -Infinity;

  const renderNow = (): Promise<string> => {
    next = null;
    const begun = now();
    const rendering = render();
    const over = (): void => {
      current = null;
      restUntil = now() + Math.min(REST * (now() - begun), MOST_REST);
    };
    current = rendering.then(over, over);
    return rendering;
  };

  const renderLater = async (): Promise<string> => {
    await current;
    const rest = restUntil - now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    return renderNow();
  };

  return () => {
    if (current === null && next === null && restUntil <= now()) return renderNow();
    next ??= renderLater();
    return next;
  };
}
