/* The search box: every word that is typed must be somewhere in a title. Titles that begin with it come first. */
addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector(".search"), input = box.querySelector("input"), list = box.querySelector("ol");
    box.hidden = false;
    const find = () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        const score = ([title, , kind]) => {
            const text = title.toLowerCase(), bare = text.replace(/^gt_/, "");
            if (!words.every(word => text.includes(word) || kind.toLowerCase().includes(word))) return -1;
            const first = words[0];
            return (bare === first || text === first ? 8 : 0) + (bare.startsWith(first) || text.startsWith(first) ? 4 : 0) +
                (text.includes(first) ? 2 : 0) + (kind === "page" || kind === "function" ? 1 : 0);
        };
        const found = words.length ? entries.map(entry => [score(entry), entry]).filter(([n]) => n >= 0) : [];
        found.sort(([a, x], [b, y]) => b - a || x[0].length - y[0].length);
        list.replaceChildren(...found.slice(0, 30).map(([, [title, address, kind]]) => {
            const item = document.createElement("li"), link = document.createElement("a"), small = document.createElement("small");
            link.href = address;
            link.textContent = title;
            small.textContent = kind;
            item.append(link, " ", small);
            return item;
        }));
    };
    input.addEventListener("input", find);
    input.addEventListener("keydown", event => {
        const first = list.querySelector("a");
        if (event.key === "Enter" && first) location.href = first.href;
        if (event.key === "Escape") { input.value = ""; find(); }
    });
    addEventListener("keydown", event => {
        if (event.key === "/" && document.activeElement.tagName !== "INPUT") { event.preventDefault(); input.focus(); }
    });
    const here = document.querySelector("nav [aria-current]");
    if (here) here.scrollIntoView({ block: "center" });
});
