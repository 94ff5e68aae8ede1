"use strict";

document.querySelectorAll("tr[data-url]").forEach((row) => {
  const button = document.createElement("button");
  button.textContent = "×";
  button.addEventListener("click", async () => {
    const answer = await fetch(row.dataset.url, { method: "DELETE" });
    if (answer.ok) row.remove();
  });
  row.insertCell().append(button);
});
