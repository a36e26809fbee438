/** Metrics for whoever scrapes them, at a cost that does not grow with how many do. */

/** For so many times as long as it took to render them, nothing is rendered; for so many milliseconds at most. */
const REST = 3;
const MOST_REST = 100;

/**
 * Who asks while others wait gets what they get, which is rendered after all of them have asked: nobody is told what has
 * changed since.
 *
 * @param now monotonic, milliseconds.
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
