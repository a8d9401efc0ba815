// The API as promises. What goes wrong is an Error whose message is the sentence that the API said.

const LARGEST_PAGE = 500;

// Whether the server was heard of when it was last asked. "change" when that is another.
class Line extends EventTarget {
  lost = false;

  tell(lost) {
    if (lost === this.lost) return;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }
}

export const line = new Line();
addEventListener("offline", () => line.tell(true));

export class ApiError extends Error {
  constructor(status, name, detail) {
    super(detail);
    this.status = status;
    this.name = name;
  }
}

export async function api(method, path, body, {signal, headers = {}} = {}) {
  const options = {method, signal, headers: {...headers}};
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    line.tell(true);
    throw new ApiError(0, "Unreachable", "The server does not answer; it may be starting again. Try once more in a moment.");
  }
  line.tell(false);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw failure(answer.status, await answer.json().catch(() => ({})));
}

export function failure(status, said) {
  if (status === 401) toSignIn();
  return new ApiError(status, said.error ?? "HTTPError", said.detail ?? `The server answered with ${status}.`);
}

export function toSignIn() {
  location.assign(`/signin?next=${encodeURIComponent(location.pathname + location.search)}`);
}

export const get = (path, options) => api("GET", path, undefined, options);
export const post = (path, body, options) => api("POST", path, body, options);

// What a player of a film asks for. In pieces: a browser has six connections to a server, for all its windows together,
// and a request for all that follows keeps one for as long as the player does not want it.
export const mediaOf = (movieId) => `/api/movies/${movieId}/media?pieces=true`;

// A whole paged list; after the first part, which says how many there are, the rest at once.
export async function getAll(path, options) {
  const part = (offset) => get(withQuery(path, {limit: LARGEST_PAGE, offset}), options);
  const first = await part(0);
  const offsets = [];
  for (let offset = first.items.length; first.next !== null && offset < first.total; offset += LARGEST_PAGE) offsets.push(offset);
  const rest = await Promise.all(offsets.map(part));
  return [first, ...rest].flatMap((each) => each.items);
}

// Empty values are left out, lists are repeated.
export function withQuery(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== "") query.append(name, each);
    }
  }
  const said = query.toString();
  return said ? `${path}${path.includes("?") ? "&" : "?"}${said}` : path;
}
