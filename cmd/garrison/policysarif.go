package main

import (
	"net/url"
	"path/filepath"
	"slices"

	"github.com/garrison-security/garrison/policy"
)

// The parts of a SARIF 2.1.0 log that findings need.
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string `json:"id"`
		HelpURI string `json:"helpUri,omitempty"`
	}
	sarifResult struct {
		RuleID           string          `json:"ruleId"`
		RuleIndex        int             `json:"ruleIndex"`
		Level            string          `json:"level"`
		Message          sarifText       `json:"message"`
		Locations        []sarifLocation `json:"locations"`
		RelatedLocations []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

var sarifLevels = map[policy.Severity]string{
	policy.Error: "error", policy.SecurityWarning: "warning", policy.Warning: "warning", policy.Suggestion: "note",
}

// newSARIF is a run without results.
func newSARIF(tool string) *sarifRun {
	return &sarifRun{
		Tool:       sarifTool{sarifDriver{Name: tool, InformationURI: "https://github.com/garrison-security/garrison", Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
}

// add adds a result, and its rule if there was none of it.
func (r *sarifRun) add(x sarifResult, help string) {
	rules := &r.Tool.Driver.Rules
	x.RuleIndex = slices.IndexFunc(*rules, func(have sarifRule) bool { return have.ID == x.RuleID })
	if x.RuleIndex < 0 {
		x.RuleIndex = len(*rules)
		*rules = append(*rules, sarifRule{x.RuleID, help})
	}
	r.Results = append(r.Results, x)
}

func (r *sarifRun) log() sarifLog {
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{*r}}
}

// sarifOf is a log of one run with the findings of all files.
func sarifOf(files []checkedFile) sarifLog {
	run := newSARIF("garrison policy check")
	for i := range files {
		for j := range files[i].Findings {
			x := &files[i].Findings[j]
			places := sarifPlaces(files[i].File, x)
			run.add(sarifResult{
				RuleID: x.Code, Level: sarifLevels[x.Severity], Message: sarifText{x.Message},
				Locations: places[:1], RelatedLocations: places[1:],
			}, x.LearnMore)
		}
	}
	return run.log()
}

// sarifAt is a line of a file in a folder.
func sarifAt(dir, file string, line int) sarifLocation {
	uri := (&url.URL{Path: filepath.ToSlash(filepath.Join(dir, file))}).String()
	return sarifLocation{sarifPhysical{sarifArtifact{uri}, sarifRegion{StartLine: line, StartColumn: 1}}}
}

func sarifPlaces(file string, x *checkFinding) (list []sarifLocation) {
	uri := (&url.URL{Path: filepath.ToSlash(file)}).String()
	places := x.Places
	if len(places) == 0 {
		places = []filePlace{{Line: x.Line, Column: x.Column}}
	}
	for _, p := range places {
		list = append(list, sarifLocation{sarifPhysical{sarifArtifact{uri}, sarifRegion{p.Line, p.Column, p.EndLine, p.EndColumn}}})
	}
	return list
}
