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
  let next: Promise<string> | null = null;
  let restUntil = -Infinity;

  const renderNow = async (): Promise<string> => {
    next = null;
    const begun = now();
    try {
      return await render();
    } finally {
      const over = now();
      restUntil = over + Math.min(REST * (over - begun), MOST_REST);
    }
  };

  return () => {
    const rest = restUntil - now();
    if (next === null && rest <= 0) return renderNow();
    next ??= new Promise((resolve) => setTimeout(resolve, rest)).then(renderNow);
    return next;
  };
}
