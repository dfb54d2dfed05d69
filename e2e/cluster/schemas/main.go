// Makes the JSON schemas that kubeconform reads from the description of its API that Kubernetes publishes:
// schemas SWAGGER DIRECTORY. Leaves definitions.json, which has every type, and GROUP/VERSION/kind.json, which refer to it.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"
)

type schema map[string]any

// What users may write as a number, too, though the description knows strings only.
var numbers = []string{
	"io.k8s.apimachinery.pkg.api.resource.Quantity",
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString",
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: schemas SWAGGER DIRECTORY")
	}
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var api struct {
		Definitions map[string]schema `json:"definitions"`
	}
	if err := json.Unmarshal(content, &api); err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
	for name, definition := range api.Definitions {
		forbidOthers(definition)
		for _, file := range files(definition) {
			write(file, schema{"$ref": "../../definitions.json#/definitions/" + name})
		}
	}
	for _, name := range numbers {
		if api.Definitions[name] == nil {
			log.Fatalf("%s has no %s", os.Args[1], name)
		}
		api.Definitions[name]["type"] = []string{"string", "number"}
	}
	write("definitions.json", schema{"definitions": api.Definitions})
}

// As the API server does with strict validation: a field that the type does not have is an error.
func forbidOthers(definition schema) {
	if definition["properties"] != nil {
		definition["additionalProperties"] = false
	}
}

// The files of the resources that are of a type: most are of none, some that every API has are of many.
func files(definition schema) []string {
	resources, _ := definition["x-kubernetes-group-version-kind"].([]any)
	var found []string
	for _, resource := range resources {
		of := resource.(map[string]any)
		group, version, kind := of["group"].(string), of["version"].(string), of["kind"].(string)
		if group == "" {
			group = version // as kubeconform calls the group without a name
		}
		found = append(found, filepath.Join(group, version, strings.ToLower(kind)+".json"))
	}
	return found
}

func write(file string, content schema) {
	bytes, err := json.Marshal(content)
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(os.Args[2], file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, bytes, 0o644); err != nil {
		log.Fatal(err)
	}
}
