// The filter of the page. Without it everything is shown.
const query = document.getElementById("query")
const section = document.getElementById("section")
const shown = document.getElementById("shown")
const boxes = [...document.querySelectorAll(".chip input")]
const entries = [...document.querySelectorAll("#list > *")].map((element) => ({
  element,
  outcome: element.dataset.outcome,
  section: element.dataset.section,
  words: element.textContent.toLowerCase(),
}))

function filter() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean)
  const outcomes = new Set(boxes.filter((box) => box.checked).map((box) => box.value))
  let count = 0
  for (const entry of entries) {
    const visible =
      outcomes.has(entry.outcome) &&
      (section.value === "" || entry.section === section.value) &&
      words.every((word) => entry.words.includes(word))
    entry.element.hidden = !visible
    if (visible) count++
  }
  const hidden = outcomes.has("PASS") ? "" : "; tick pass for the rest"
  shown.textContent = `${count} of ${entries.length} checks${hidden}`
}

/** What a link points to is shown and opened, whatever the filter says. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target === null) return
  target.hidden = false
  if (target instanceof HTMLDetailsElement) target.open = true
  target.scrollIntoView({ block: "start" })
}

for (const control of [query, section, ...boxes]) control.addEventListener("input", filter)
document.querySelector(".tools").addEventListener("submit", (event) => event.preventDefault())
addEventListener("hashchange", reveal)
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)
  if (event.key === "/" && !typing) {
    event.preventDefault()
    query.focus()
  }
})
const passing = boxes.find((box) => box.value === "PASS")
passing.checked = false
filter()
reveal()
const first = document.querySelector("#list > details.fail")
if (first && location.hash === "") first.open = true
