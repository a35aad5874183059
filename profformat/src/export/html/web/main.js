const head = JSON.parse(document.getElementById("d-head").textContent);
document.title = `${head.title} (prof)`;
