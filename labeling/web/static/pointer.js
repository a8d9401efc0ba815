// How a drag feels, the same on all pages: where it begins, and how what is dragged over scrolls along near an edge.

// So many pixels from where it went down a pointer drags; a finger also has to rest first.
export const FAR = 5;
export const REST_MS = 280;

const EDGE = 56;
const SPEED = 14;

// Pixels to scroll in a frame, by the distances from both edges; outside as at the edge.
export function speed(fromStart, fromEnd) {
  if (fromStart < EDGE) return -SPEED * (1 - Math.max(fromStart, 0) / EDGE);
  return fromEnd < EDGE ? SPEED * (1 - Math.max(fromEnd, 0) / EDGE) : 0;
}
