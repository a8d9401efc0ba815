// What the page was given: who looks, at which project, the names of the menus.

export const boot = JSON.parse(document.getElementById("boot").textContent);

const COOKIE = "selects_project";
const YEAR_S = 31536000;

export function role() {
  return boot.projects.find((project) => project.id === boot.project)?.role ?? "viewer";
}

export const mayEdit = () => role() !== "viewer";
export const mayDelete = () => role() === "admin";

export function chooseProject(id) {
  document.cookie = `${COOKIE}=${id}; path=/; max-age=${YEAR_S}; samesite=lax`;
  boot.project = id;
}

// What this browser remembers: order of the library, volume.
export function remembered(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`selects:${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`selects:${name}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing forgets; nothing else is lost.
  }
}
